import { expect, test } from 'vitest';
import { ExampleFolder } from '../example/load-example.ts';

const stages = `
stages:
  base: { uses: load, with: { model: ../data } }
  load: { with: { records: "../\${params.folder}/rows.json" } }
  format: { from: load, with: { template: "\${params.template}" } }
  tokenize: { from: format }
  train:
    from: { model: base, train: tokenize }
    with:
      epochs: \${params.epochs}
      metrics: ["\${params.epochs} epochs of \${params.training.rate}", "$\${params.epochs}", "$5 {}"]
      optimizer: \${params.training.optimizer}
`;
const params = `
params:
  epochs: 3
  folder: data
  template: { prompt: "{{ instruction }} $\${left as it is}" }
  training: { rate: 0.5, optimizer: { learning_rate: 0.5 } }
`;

test('a parameter keeps its type as a whole value, becomes text inside one, and is escaped by another $', async () => {
  await using folder = await ExampleFolder.open();
  const { nodes } = await folder.dag(params + stages);
  expect({ train: nodes.get('train')?.config, format: nodes.get('format')?.config }).toEqual({
    train: {
      epochs: 3,
      metrics: ['3 epochs of 0.5', `\${params.epochs}`, '$5 {}'],
      optimizer: { learning_rate: 0.5 },
      shuffle: true,
      schedule: { name: 'constant', warmup: 0 },
    },
    format: { template: { prompt: `{{ instruction }} $\${left as it is}`, header: '' } },
  });
});

test('-p and --set change values by name, the later one wins, and the graph knows that it was overridden', async () => {
  await using folder = await ExampleFolder.open();
  const dag = await folder.dag(params + stages, {
    params: ['epochs=7', 'training.rate=1e-4', 'epochs=8'],
    sets: ['stages.train.with.shuffle=false', 'stages.train.with.metrics.2=a b', 'stages.train.retries=1'],
  });
  expect({
    overridden: dag.overridden,
    params: dag.params,
    train: dag.nodes.get('train')?.config,
    retries: dag.nodes.get('train')?.retries,
  }).toEqual({
    overridden: true,
    params: {
      epochs: 8,
      folder: 'data',
      template: { prompt: `{{ instruction }} $\${left as it is}` },
      training: { rate: 0.0001, optimizer: { learning_rate: 0.5 } },
    },
    train: {
      epochs: 8,
      metrics: ['8 epochs of 0.0001', `\${params.epochs}`, 'a b'],
      optimizer: { learning_rate: 0.5 },
      shuffle: false,
      schedule: { name: 'constant', warmup: 0 },
    },
    retries: 1,
  });
});

test('a path is relative to where it was written: the pipeline file, or the working directory of the command line', async () => {
  await using folder = await ExampleFolder.open();
  const yaml = `params: { rows: ../data/rows.json }\nstages: { load: { with: { records: "\${params.rows}" } } }`;
  const sourcesOf = async (given: readonly string[]): Promise<unknown> =>
    (await folder.dag(yaml, { params: given })).nodes
      .get('load')
      ?.sources.map(({ path }) => path.slice(folder.path.length));
  expect({ file: await sourcesOf([]), commandLine: await sourcesOf(['rows=data/rows.json']) }).toEqual({
    file: ['/data/rows.json'],
    commandLine: ['/elsewhere/data/rows.json'],
  });
});
