import { pipelineSchema, settingsSchema } from '../schema/schema.ts';

/** Everything that `tuneloom init` writes. Without a `dependency`, the folder keeps the package.json that it has. */
export async function projectFiles(dependency: string | undefined): Promise<readonly ProjectFile[]> {
  return [
    { path: 'pipeline.yaml', text: PIPELINE, optional: false },
    { path: 'pipeline.schema.json', text: json(await pipelineSchema()), optional: false },
    { path: 'data/instructions.jsonl', text: rows(), optional: false },
    { path: '.tuneloom/settings.yaml', text: SETTINGS, optional: true },
    { path: '.tuneloom/settings.schema.json', text: json(await settingsSchema()), optional: true },
    { path: 'README.md', text: README, optional: true },
    { path: '.gitignore', text: 'artifacts/\nnode_modules/\n', optional: true },
    ...packageFiles(dependency),
  ];
}

/** What `tuneloom init --from` writes: the pipeline of another program's file, and what editors and npm need. */
export async function importedFiles(
  dependency: string | undefined,
  pipeline: string,
): Promise<readonly ProjectFile[]> {
  return [
    { path: 'pipeline.yaml', text: pipeline, optional: false },
    { path: 'pipeline.schema.json', text: json(await pipelineSchema()), optional: true },
    { path: '.gitignore', text: 'artifacts/\nnode_modules/\n', optional: true },
    ...packageFiles(dependency),
  ];
}

function packageFiles(dependency: string | undefined): readonly ProjectFile[] {
  if (dependency === undefined) return [];
  const manifest = { private: true, type: 'module', devDependencies: { tuneloom: dependency } };
  return [
    { path: 'package.json', text: json(manifest), optional: true },
    { path: '.npmrc', text: NPMRC, optional: true },
  ];
}

export interface ProjectFile {
  /** Relative to the project's folder, with `/`. */
  readonly path: string;
  readonly text: string;
  /** Not written where the folder has such a file already. */
  readonly optional: boolean;
}

const NPMRC = `# tuneloom needs no install script of any package; that of onnxruntime-node would download CUDA, which tuneloom does not use.
ignore-scripts=true
`;

const PIPELINE = `# yaml-language-server: $schema=./pipeline.schema.json
name: first-pipeline
params:
  epochs: 100

stages:
  data:
    uses: load
    with: { records: data/instructions.jsonl }
  format:
    from: data
    with: { template: alpaca }
  split:
    from: format
    with: { parts: [train: 0.8, validation: rest] }
  tokenize:
    from: split
    with: { encoding: r50k_base }
  collate:
    from: tokenize
    with: { batch_size: 16, max_length: 128, train_on: response }

  # A small model with random weights needs no download. For a real one, name a folder
  # in Hugging Face's layout: with: { model: models/gpt2 }
  base:
    uses: load
    with:
      init: { context_length: 128, width: 32, layers: 1, heads: 2, encoding: r50k_base }
  train:
    from: { model: base, train: collate.train, validation: collate.validation }
    with:
      epochs: "\${params.epochs}"
      optimizer: { learning_rate: 1.0e-2 }
      evaluate: { every: 20 }
      sample: { max_new_tokens: 0 }

  # The questions are the ones it was trained on: a model with random weights can only memorize them.
  before:
    uses: generate
    from: { model: base, prompts: split.train }
    with: { max_new_tokens: 8, start: header }
  after:
    uses: generate
    from: { model: train, prompts: split.train }
    with: { max_new_tokens: 8, start: header }
  score_before:
    uses: evaluate
    from: before
    with: { metrics: [exact_match] }
  score_after:
    uses: evaluate
    from: after
    with: { metrics: [exact_match] }

try_next:
  - "Run again: nothing has to run."
  - "Add a row to data/instructions.jsonl and ask \`npx tuneloom plan\` what it costs."
  - "Change epochs and ask \`npx tuneloom explain train\` what differs."
`;

const SETTINGS = `# yaml-language-server: $schema=./settings.schema.json
# Where results are kept and shared, and where stages run. Nothing here changes a result.
# remotes:
#   team: { url: s3://bucket/folder, push: auto }
`;

const README = `# A first pipeline
\`npx tuneloom run\` does what pipeline.yaml says: it loads twenty questions, trains a small model on most of them, and
scores its answers before and after. Run it again and nothing runs; edit a field and only what depends on it runs.

| command | shows |
|---|---|
| \`npx tuneloom plan\` | what a run would do, and why |
| \`npx tuneloom show collate.train\` | a batch: what is trained and what is masked |
| \`npx tuneloom show train.history\` | the losses |
| \`npx tuneloom explain train\` | why \`train\` would run again |
| \`npx tuneloom graph\` | how the stages depend on each other |

Put your own rows into data/instructions.jsonl: each has an \`instruction\`, an \`output\` and, if needed, an \`input\`.
After an update of tuneloom, \`npx tuneloom schema > pipeline.schema.json\` gives your editor the new fields,
and \`npx tuneloom schema settings > .tuneloom/settings.schema.json\` those of the settings.
`;

const YOUNG =
  'bear cub, cat kitten, cow calf, deer fawn, dog puppy, duck duckling, eagle eaglet, eel elver, frog tadpole, goat kid, ' +
  'goose gosling, hare leveret, hen chick, horse foal, kangaroo joey, owl owlet, pig piglet, seal pup, sheep lamb, swan cygnet';

const rows = (): string =>
  YOUNG.split(', ')
    .map((pair) => pair.split(' '))
    .map(([animal, output]) => ({ instruction: `What is the young of the ${animal} called?`, output }))
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('');

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
