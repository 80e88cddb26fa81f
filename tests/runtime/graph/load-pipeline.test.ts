import { expect, test } from 'vitest';
import { positionOf } from '../../../src/runtime/diagnostic/text-file.ts';
import { ExampleFolder, plainDag } from '../example/load-example.ts';

const yaml = `
name: example
params: { epochs: 3, model: { init: gpt2 } }
try_next: [Raise the epochs.]
stages:
  train:
    from: { model: base, train: tokenize.train, validation: tokenize.tokens.test }
    with: { epochs: "\${params.epochs}", schedule: { name: cosine, steps: 10 } }
    resources: { threads: 2, memory: 4GiB, backend: cpu }
    timeout: 1.5h
    retries: 2
  base: { uses: load, with: { model: "\${params.model}" } }
  load: { with: { records: ../data/rows.json } }
  split: { from: load, with: { parts: [train: 0.9, test: rest] } }
  tokenize: { from: { records: split, tokenizer: base.tokenizer } }
`;

const nothing = { timeoutMs: undefined, retries: 0, resources: {} };

test('a pipeline becomes a graph in topological order, with defaults, bindings, parts and sources', async () => {
  await using folder = await ExampleFolder.open();
  const dag = await folder.dag(yaml);
  expect(plainDag(dag, folder.path)).toEqual({
    name: 'example',
    params: { epochs: 3, model: { init: 'gpt2' } },
    overridden: false,
    tryNext: ['Raise the epochs.'],
    nodes: [
      {
        id: 'base',
        config: { model: { init: 'gpt2', width: 64 } },
        inputs: {},
        outputParts: {},
        sources: [],
        ...nothing,
      },
      {
        id: 'load',
        config: { records: '/data/rows.json' },
        inputs: {},
        outputParts: {},
        sources: [{ pointer: '/records', path: '/data/rows.json' }],
        ...nothing,
      },
      {
        id: 'split',
        config: { by: 'order', seed: 0, parts: [{ train: 0.9 }, { test: 'rest' }] },
        inputs: { records: { stage: 'load', output: 'records' } },
        outputParts: { records: ['train', 'test'] },
        sources: [],
        ...nothing,
      },
      {
        id: 'tokenize',
        config: {},
        inputs: {
          records: { stage: 'split', output: 'records' },
          tokenizer: { stage: 'base', output: 'tokenizer' },
        },
        outputParts: { tokens: ['train', 'test'] },
        sources: [],
        ...nothing,
      },
      {
        id: 'train',
        config: {
          epochs: 3,
          shuffle: true,
          schedule: { name: 'cosine', steps: 10, floor: 0 },
          optimizer: { learning_rate: 0.001 },
        },
        inputs: {
          model: { stage: 'base', output: 'model' },
          train: { stage: 'tokenize', output: 'tokens', part: 'train' },
          validation: { stage: 'tokenize', output: 'tokens', part: 'test' },
        },
        outputParts: {},
        sources: [],
        timeoutMs: 5_400_000,
        retries: 2,
        resources: { threads: 2, memory: 4 * 2 ** 30, backend: 'cpu' },
      },
    ],
  });
});

test('a stage knows where it and each field of its configuration are written, even if a default or a parameter fills it', async () => {
  await using folder = await ExampleFolder.open();
  const { nodes } = await folder.dag(yaml);
  const placeOf = (stage: string, pointer?: string): string => {
    const span = nodes.get(stage)?.spanOf(pointer);
    if (span === undefined) throw new Error(`no stage ${stage}`);
    const { line, column } = positionOf(span.file, span.start);
    return `${line}:${column} ${span.file.text.slice(span.start, span.end)}`;
  };
  expect({
    stage: placeOf('train'),
    value: placeOf('train', '/schedule/steps'),
    parameter: placeOf('train', '/epochs'),
    default: placeOf('train', '/shuffle'),
    nestedDefault: placeOf('train', '/schedule/floor'),
    withoutWith: placeOf('tokenize', '/anything'),
  }).toEqual({
    stage: '6:3 train',
    value: '8:74 10',
    parameter: '3:19 3',
    default: '8:5 with',
    nestedDefault: '8:51 { name: cosine, steps: 10 }',
    withoutWith: '15:3 tokenize',
  });
});

test('the name of a pipeline without one is that of its file', async () => {
  await using folder = await ExampleFolder.open();
  expect((await folder.dag('stages: { load: { with: { records: ../data/rows.json } } }')).name).toBe(
    'example',
  );
});

test('ten thousand stages in one file become one graph', async () => {
  await using folder = await ExampleFolder.open();
  const stages = Array.from(
    { length: 9_999 },
    (_, index) =>
      `  s${index}: { uses: format, from: ${index % 100 === 0 ? 'load' : `s${index - 1}`}, with: { template: alpaca } }`,
  );
  const dag = await folder.dag(
    `stages:\n  load: { with: { records: ../data/rows.json } }\n${stages.join('\n')}`,
  );
  expect(dag.nodes.size).toBe(10_000);
});

test('a map of names binds several inputs to a port that takes one', async () => {
  await using folder = await ExampleFolder.open();
  const named = yaml.replace(
    'validation: tokenize.tokens.test',
    'validation: { seen: tokenize.train, unseen: tokenize.test }',
  );
  const { nodes } = await folder.dag(named);
  const inputs = Object.entries(nodes.get('train')?.inputs ?? {}).map(([port, { stage, output, part }]) => [
    port,
    [stage, output, part],
  ]);
  expect(Object.fromEntries(inputs)).toEqual({
    model: ['base', 'model', undefined],
    train: ['tokenize', 'tokens', 'train'],
    'validation.seen': ['tokenize', 'tokens', 'train'],
    'validation.unseen': ['tokenize', 'tokens', 'test'],
  });
});
