import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

export const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));

/** A project with a stage that takes steps and keeps each in its state, and the built command to run it. */
export interface ExecutorRig extends AsyncDisposable {
  readonly folder: string;
  readonly write: (path: string, text: string) => Promise<void>;
  readonly start: (...words: readonly string[]) => ReturnType<typeof startCommand>;
  /** The lines that the stage wrote outside the store: `start 0`, `step 1`. */
  readonly trace: () => readonly string[];
  readonly output: (stage: string) => string;
}

const stage = {
  'steps/stage.yaml': `name: steps
outputs: { text: file }
environment: [STEPS_SECRET]
config:
  required: [steps, trace]
  properties:
    steps: { type: integer }
    milliseconds: { type: integer, default: 200, x-key: none }
    megabytes: { type: integer, default: 0, x-key: none }
    deaf: { type: boolean, default: false, x-key: none }
    trace: { type: string, x-key: none }
`,
  'steps/index.mjs': `import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Goes on from the step that its state holds. */
export async function run({ config, outputs, statePath }, { signal, report }) {
  const kept = statePath + '/step';
  const before = existsSync(kept) ? Number(readFileSync(kept, 'utf8')) : 0;
  const trace = (text) => appendFileSync(config.trace, text + '\\n');
  trace('start ' + before);
  console.log('a line of the log ' + (process.env.STEPS_SECRET ?? ''));
  const held = [];
  for (let step = before + 1; step <= config.steps; step += 1) {
    if (config.megabytes > 0) held.push(Buffer.alloc(config.megabytes << 20, 1));
    await sleep(config.milliseconds, undefined, config.deaf ? {} : { signal });
    writeFileSync(kept, String(step));
    trace('step ' + step);
    report({ type: 'progress', done: step, total: config.steps, unit: 'step' });
  }
  report({ type: 'note', level: 'warning', message: 'took ' + config.steps + ' steps' });
  writeFileSync(outputs.text.path, config.steps + ' steps\\n');
  return { held: held.length };
}
`,
};

export async function openExecutorRig({
  settings,
  environment = {},
}: {
  readonly settings: string;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<ExecutorRig> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'tuneloom-executor-')));
  await chmod(folder, 0o755);
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const files = { ...stage, 'package.json': '{}', '.tuneloom/settings.yaml': settings, trace: '' };
  for (const [path, text] of Object.entries(files)) await write(path, text);
  await chmod(join(folder, 'trace'), 0o666);
  return {
    folder,
    write,
    start: (...words) => startCommand(folder, { words, environment }),
    trace: () => readFileSync(join(folder, 'trace'), 'utf8').split('\n').filter(Boolean),
    output: (stage) => readFileSync(join(folder, 'artifacts/outputs', stage), 'utf8'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function startCommand(
  cwd: string,
  {
    words,
    environment,
  }: { readonly words: readonly string[]; readonly environment: Readonly<Record<string, string>> },
) {
  const env = {
    PATH: process.env.PATH,
    HOME: cwd,
    NO_COLOR: '1',
    TUNELOOM_PROJECT_SETTINGS: 'approved',
    ...environment,
  };
  return execa(process.execPath, [tuneloomScript, ...words], { cwd, env, extendEnv: false, reject: false });
}

/** A pipeline of one stage that takes steps. */
export const stepsPipeline = (
  folder: string,
  more: { readonly with?: string; readonly beside?: string } = {},
): string => `name: steps
stages:
  count:
    uses: ./steps
    with: { steps: 10, trace: ${folder}/trace${more.with ? `, ${more.with}` : ''} }
${more.beside ? `    ${more.beside}\n` : ''}`;
