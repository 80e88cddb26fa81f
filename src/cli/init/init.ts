import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { pipelineSchema } from '../schema/schema.ts';

/** `tuneloom init`: writes a small pipeline that works, and overwrites nothing. */
export async function initCommand({ words, options, context }: CommandCall<JsonOption>): Promise<ExitCode> {
  const folder = resolve(context.workingDirectory, words[0] ?? '.');
  const files = missingFiles(folder, await projectFiles());
  for (const { path, text } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  const written = files.map(({ path }) => path);
  const shown = relative(context.workingDirectory, folder);
  context.terminal.print(
    options.json ? JSON.stringify({ folder, written }) : nextSteps({ folder: shown, written }),
  );
  return exitCode.success;
}

function missingFiles(folder: string, files: readonly ProjectFile[]): readonly ProjectFile[] {
  const there = files.filter(({ path }) => existsSync(join(folder, path)));
  const inTheWay = there.filter(({ optional }) => !optional).map(({ path }) => path);
  if (inTheWay.length > 0) {
    throw new UsageError({
      message: `${folder} has ${inTheWay.join(' and ')} already`,
      help: 'nothing was written; name another folder, as in `tuneloom init my-project`',
    });
  }
  return files.filter((file) => !there.includes(file));
}

function nextSteps({ folder, written }: { folder: string; written: readonly string[] }): string {
  return [
    `Wrote ${written.join(', ')}${folder === '' ? '' : ` in ${folder}`}.`,
    '',
    'Next:',
    ...(folder === '' ? [] : [`  cd ${folder}`]),
    '  tuneloom run',
  ].join('\n');
}

interface ProjectFile {
  /** Relative to the project's folder, with `/`. */
  readonly path: string;
  readonly text: string;
  /** Left out where the folder has such a file already. */
  readonly optional: boolean;
}

/** Everything that `tuneloom init` writes. */
async function projectFiles(): Promise<readonly ProjectFile[]> {
  return [
    { path: 'pipeline.yaml', text: PIPELINE, optional: false },
    { path: 'pipeline.schema.json', text: json(await pipelineSchema()), optional: false },
    { path: 'data/instructions.jsonl', text: rows(), optional: false },
    { path: 'README.md', text: README, optional: true },
    { path: '.gitignore', text: 'artifacts/\nnode_modules/\n', optional: true },
  ];
}

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

  # A small model with random weights needs no download. For a real one, put a folder
  # in Hugging Face's layout here: with: { model: models/gpt2 }
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

  # The questions are those it was trained on: a random model can learn rows by heart, no more.
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
  - "Add a row to data/instructions.jsonl and ask \`tuneloom plan\` what it costs."
  - "Change epochs and ask \`tuneloom explain train\` what differs."
`;

const README = `# A first pipeline
\`tuneloom run\` does what pipeline.yaml says: it loads twenty questions, trains a small model on most of them, and
scores its answers before and after. Run it again and nothing runs; edit a field and only what depends on it does.

| command | shows |
|---|---|
| \`tuneloom plan\` | what a run would do, and why |
| \`tuneloom show collate.train\` | a batch: what is trained and what is masked |
| \`tuneloom show train.history\` | the losses |
| \`tuneloom explain train\` | why \`train\` would run again |
| \`tuneloom graph\` | how the stages hang together |

Put your own rows into data/instructions.jsonl: each has an \`instruction\`, an \`output\` and, where it needs one, an \`input\`.
After an update of tuneloom, \`tuneloom schema > pipeline.schema.json\` gives your editor the new fields.
`;

const YOUNG: Readonly<Record<string, string>> = {
  bear: 'cub',
  cat: 'kitten',
  cow: 'calf',
  deer: 'fawn',
  dog: 'puppy',
  duck: 'duckling',
  eagle: 'eaglet',
  eel: 'elver',
  frog: 'tadpole',
  goat: 'kid',
  goose: 'gosling',
  hare: 'leveret',
  hen: 'chick',
  horse: 'foal',
  kangaroo: 'joey',
  owl: 'owlet',
  pig: 'piglet',
  seal: 'pup',
  sheep: 'lamb',
  swan: 'cygnet',
};

const rows = (): string =>
  Object.entries(YOUNG)
    .map(
      ([animal, output]) =>
        `${JSON.stringify({ instruction: `What is the young of the ${animal} called?`, output })}\n`,
    )
    .join('');

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
