import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));

export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project in a temporary folder, and the built command to run in it. */
export interface CliRig extends AsyncDisposable {
  readonly folder: string;
  readonly write: (path: string, text: string) => Promise<void>;
  /** Runs `tuneloom` to its end, and replaces in its output what varies between runs. */
  readonly tuneloom: (...words: string[]) => Promise<Ended>;
  /** The same, with more environment variables. */
  readonly tuneloomWith: (env: Readonly<Record<string, string>>, ...words: string[]) => Promise<Ended>;
  /** Starts `tuneloom` and leaves it running. */
  readonly start: (...words: string[]) => ReturnType<typeof startCommand>;
  /** The same, with more environment variables. */
  readonly startWith: (
    env: Readonly<Record<string, string>>,
    ...words: string[]
  ) => ReturnType<typeof startCommand>;
}

export async function openCliRig(files: Readonly<Record<string, string>> = {}): Promise<CliRig> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'tuneloom-cli-')));
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  for (const [path, text] of Object.entries(files)) await write(path, text);
  const tuneloomWith: CliRig['tuneloomWith'] = async (env, ...words) => {
    const { exitCode, stdout, stderr } = await startCommand(folder, words, env);
    return { exitCode, stdout: steady(stdout, folder), stderr: steady(stderr, folder) };
  };
  return {
    folder,
    write,
    start: (...words) => startCommand(folder, words),
    startWith: (env, ...words) => startCommand(folder, words, env),
    tuneloom: (...words) => tuneloomWith({}, ...words),
    tuneloomWith,
    // The stages of a killed run may still be writing.
    [Symbol.asyncDispose]: () =>
      rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }),
  };
}

function startCommand(cwd: string, words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env.PATH, HOME: cwd, NO_COLOR: '1', ...more };
  return execa(process.execPath, [tuneloomScript, ...words], { cwd, env, extendEnv: false, reject: false });
}

/** Replaces durations, run ids, dates and the temporary folder by names. */
function steady(text: string, folder: string): string {
  return text
    .replaceAll(folder, '<folder>')
    .replaceAll(/(state)\/[0-9a-f]{64}\//g, '$1/<key>/')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-[0-9a-f]{6}/g, '<run>')
    .replaceAll(/^( *)[0-9a-f]{6} {2}\d\d-\d\d \d\d:\d\d/gm, '$1<run>  <started>') // the table of runs
    .replaceAll(/(?<=^ *)started {4}(?= {2})/gm, 'started')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d\.\d{3}Z)?/g, '<date>')
    .replaceAll(/ *\b(\d+ ms|\d+\.\d s|\d+m \d\ds)(?![\w/])/g, ' <time>')
    .replaceAll('( <time>', '(<time>')
    .replaceAll(/ +time {2}/g, ' time  ') // a column is as wide as the times in it
    .replaceAll(/"(milliseconds|last_milliseconds)":[\d.]+/g, '"$1":0');
}

const animals = ['dog', 'cat', 'cow', 'hen', 'pig', 'owl', 'bee', 'fox', 'elk', 'ape'];

/** Ten rows and the stages that need no model. */
export const dataProject = {
  'package.json': '{}',
  'rows.jsonl': animals
    .map(
      (animal, index) =>
        `${JSON.stringify({ id: `r${index}`, instruction: `Spell ${animal}.`, output: [...animal].join('-') })}\n`,
    )
    .join(''),
  'data.yaml': `name: data
params:
  length: 64
stages:
  load:
    with: { records: rows.jsonl }
  format:
    from: load
    with: { template: alpaca }
  split:
    from: format
    with: { parts: [train: 0.5, test: 0.2, validation: rest] }
  tokenize:
    from: split
    with: { encoding: r50k_base }
  collate:
    from: tokenize
    with: { batch_size: 2, max_length: "\${params.length}", train_on: response, shuffle: false }
`,
};
