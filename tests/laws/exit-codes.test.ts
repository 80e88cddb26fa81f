import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { createColors } from 'picocolors';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { commandLine, environmentOf } from './rig/command-lines.ts';
import { randomFrom } from './rig/mutations.ts';
import { askStrangeEndpoint, askStrangeHub } from './rig/strange-servers.ts';

/** How many runs there are in all. */
const count = Number(process.env.TUNELOOM_LAW_EXITS ?? 5_000);
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);
/** Shares of the runs. A process takes far longer than a call. */
const runsOf = { commandLines: 0.704, endpoints: 0.21, hubs: 0.08, processes: 0.006 };
/** A run that takes longer hangs. */
const mostMilliseconds = 30_000;

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));
const stageProcess = fileURLToPath(new URL('../../dist/stage-process.js', import.meta.url));

let folder: string;
beforeAll(async () => {
  // A hub is asked again immediately, and not waited for.
  process.env.TUNELOOM_RETRY_MILLISECONDS = '1';
  process.env.TUNELOOM_ANSWER_MILLISECONDS = '500';
  folder = await mkdtemp(join(tmpdir(), 'tuneloom-exits-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const files = {
  'package.json': '{}',
  'rows.jsonl': '{"instruction":"a","output":"b"}\n{"instruction":"c","output":"d"}\n',
  'bad.yaml': 'stages: [\n',
  'p.yaml': `name: p
params: { share: 0.5, seed: 1 }
stages:
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: alpaca } }
  split: { from: format, with: { by: hash, seed: "\${params.seed}", parts: [train: "\${params.share}", test: rest] } }
`,
};

/** The project is new for each test; runs of one test may change it. */
beforeEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'folder'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, 'no-read'), '', { mode: 0 });
  await symlink('loop', join(folder, 'loop'));
});

/** Runs the cases in turn. One that fails is named by its number, the seed and what it was given. */
async function tryAll(
  share: number,
  attempt: (random: () => number, given: (what: unknown) => void) => Promise<void>,
) {
  const cases = Math.ceil(count * share);
  for (let index = 0; index < cases; index += 1) {
    let what: unknown;
    const hang = AbortSignal.timeout(mostMilliseconds);
    const hung = new Promise<never>((_, reject) => {
      hang.addEventListener('abort', () => reject(new Error('it hangs')));
    });
    try {
      await Promise.race([attempt(randomFrom(seed + index), (given) => (what = given)), hung]);
    } catch (cause) {
      throw new Error(`case ${index} of seed ${seed}: ${JSON.stringify(what)}`, { cause });
    }
  }
}

/** What a failure of the program itself prints. */
const internal = /internal error|\n\s+at .*(node:|\.[jt]s:\d)/;

test('no command line ends in an internal error', { timeout: 600_000 }, async () => {
  await tryAll(runsOf.commandLines, async (random, given) => {
    const argv = commandLine(random);
    given(argv);
    let printed = '';
    const print = (text: string): void => {
      printed += `${text}\n`;
    };
    const exitCode = await runProgram(argv, {
      terminal: {
        print,
        complain: print,
        write: print,
        columns: 80,
        width: 80,
        interactive: false,
        colors: createColors(false),
      },
      workingDirectory: folder,
      input: Readable.from(['a\n', '/exit\n']),
      environment: {
        PATH: process.env.PATH,
        HF_ENDPOINT: 'http://127.0.0.1:9',
        TUNELOOM_RETRY_MILLISECONDS: '1',
      },
      stageProcess,
    });
    const isTold = [0, 1, 2, 3, 4].includes(exitCode) && !internal.test(printed);
    expect({ exitCode, isTold, printed }).toEqual({ exitCode, isTold: true, printed });
    await writeFile(join(folder, 'p.yaml'), files['p.yaml']);
  });
});

test('no answer of an endpoint ends in an internal error', { timeout: 600_000 }, async () => {
  await using endpoint = await askStrangeEndpoint(folder);
  await tryAll(runsOf.endpoints, endpoint.ask);
});

test('no answer of a hub ends in an internal error', { timeout: 600_000 }, async () => {
  await using hub = await askStrangeHub(folder);
  await tryAll(runsOf.hubs, hub.ask);
});

test('no environment ends in an internal error', { timeout: 600_000 }, async () => {
  const lines = [['run', 'p.yaml'], ['plan', 'p.yaml'], ['runs', '--json'], ['verify'], ['show', 'load']];
  await tryAll(runsOf.processes, async (random, given) => {
    const env = environmentOf(random, folder);
    const words = lines[Math.floor(random() * lines.length)] ?? [];
    given({ words, env });
    const { exitCode, stdout, stderr } = await execa(process.execPath, [tuneloomScript, ...words], {
      cwd: folder,
      env,
      extendEnv: false,
      reject: false,
    });
    const printed = `${stdout}\n${stderr}`;
    const isTold = [0, 1, 2, 3, 4].includes(Number(exitCode)) && !internal.test(printed);
    expect({ exitCode, isTold, printed }).toEqual({ exitCode, isTold: true, printed });
  });
  expect(await readFile(join(folder, 'p.yaml'), 'utf8')).toBe(files['p.yaml']);
});
