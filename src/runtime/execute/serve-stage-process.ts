import { readFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../core/index.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageHost, StageModule, StageRegistry, StageReport } from '../stage/stage-definition.ts';
import { failureOf, runAction } from './run-action.ts';
import { type FinalMessage, isParentMessage, type StageMessage } from './stage-message.ts';

/** How long a stage may take to stop, in milliseconds, once its parent is gone. */
const orphanMilliseconds = 2000;

/**
 * The whole of a stage process: runs the action files that its parent names, one after another. It leaves Ctrl-C to its
 * parent, stops an action when the parent says so, and exits when the parent disconnects.
 */
export function serveStageProcess(registry: StageRegistry): void {
  /** Set while an action runs; the parent sends one at a time. */
  let running: AbortController | undefined;
  // The terminal sends these to every process that it has started.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP']) process.on(signal, () => {});
  openOutput(process.stderr);
  const stageLog = openOutput(process.stdout);
  process.on('message', async (message) => {
    if (!isParentMessage(message)) return;
    if (message.type === 'stop') return running?.abort();
    // The parent may have gone while this process was loading.
    if (!process.connected) process.exit(1);
    const current = new AbortController();
    running = current;
    send({ type: 'begun' });
    // Whatever an action leaves running must not report in the name of the next one.
    const report = (report: StageReport) => running === current && send({ type: 'report', report });
    const log = (text: string) => running === current && stageLog.write(text);
    const final = await runFile({ path: message.actionFile, registry, signal: current.signal, report, log });
    running = undefined;
    if (!process.connected) process.exit(1);
    send(final);
  });
  process.on('disconnect', () => {
    // An empty event loop is not enough: threads of native libraries could keep the process.
    if (running === undefined) process.exit(0);
    running.abort();
    setTimeout(() => process.exit(1), orphanMilliseconds);
  });
  process.on('uncaughtException', (error) => {
    const { signal } = running ?? new AbortController();
    if (!process.connected) process.exit(1);
    const thrown = runsTheirCode ? asTheirs(error) : error;
    process.send?.({ type: 'failed', failure: failureOf(thrown, signal) } satisfies FinalMessage, () =>
      process.exit(1),
    );
  });
}

/** The parent reads what this process prints: what it has not read yet must not be lost at an exit, or fill the memory. */
function openOutput(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  // The parent may be gone.
  stream.on('error', () => {});
  const { _handle: handle }: { _handle?: { setBlocking?: (blocks: boolean) => void } } = Object(stream);
  handle?.setBlocking?.(true);
  return stream;
}

/** Whether the action is a user's code: what nothing catches is then an error of theirs too. */
let runsTheirCode = false;

async function runFile({
  path,
  registry,
  ...host
}: StageHost & {
  readonly path: string;
  readonly registry: StageRegistry;
  readonly log: (text: string) => unknown;
}): Promise<FinalMessage> {
  try {
    // Written by the process that started this one.
    const action = JSON.parse(await readFile(path, 'utf8')) as StageAction;
    runsTheirCode = action.code !== undefined;
    if (runsTheirCode) endWithParent();
    const definition =
      action.code === undefined ? registry.get(action.uses) : { load: () => loadCode(action.code ?? '') };
    if (definition === undefined) throw new Error(`no stage is called ${action.uses}`);
    const result = await runAction({ definition, action }, host);
    return result.ok
      ? { type: 'finished', measurements: result.value }
      : { type: 'failed', failure: result.error };
  } catch (error) {
    return { type: 'failed', failure: failureOf(error, host.signal) };
  }
}

function send(message: StageMessage): void {
  if (process.connected) process.send?.(message);
}

/** A user's code may never return to the event loop, which then does not see that the parent is gone: a thread looks. */
function endWithParent(): void {
  const watch = `
    setInterval(() => {
      if (process.ppid !== ${process.ppid}) setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${orphanMilliseconds});
    }, 500);`;
  new Worker(watch, { eval: true, execArgv: [] }).unref();
}

/** Loads the bundled code of a user's stage. Its errors name the line of the user's file. */
export async function loadCode(path: string): Promise<StageModule> {
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    const { run } = Object(module);
    if (typeof run !== 'function') throw new Error('`run` is not a function');
    return {
      run: (action, host) =>
        Promise.resolve(run(action, host)).catch((error: unknown) => {
          throw asTheirs(error);
        }),
    };
  } catch (error) {
    throw asTheirs(error);
  }
}

function asTheirs(error: unknown): unknown {
  if (error instanceof Error && (error.name === 'UserError' || error.name === 'AbortError')) return error;
  const {
    name,
    message,
    stack = '',
  } = error instanceof Error ? error : { name: 'a value', message: String(error) };
  const frames = stack.split('\n').flatMap(frameOf);
  const [place] = frames;
  return new UserError({
    code: 'stage-threw',
    message: `${place === undefined ? '' : `${place}: `}${name}: ${message}`,
    ...(frames.length > 1 && { help: `called from ${frames.slice(1, 4).join(', ')}` }),
    cause: error,
  });
}

/** The place that a line of a stack trace names, if it is in the user's code. */
function frameOf(line: string): readonly string[] {
  const [, address = '', position = ''] =
    /^\s+at (?:.*?[ (])?((?:file:\/\/)?\/[^()]*?):(\d+:\d+)\)?$/.exec(line) ?? [];
  const path = address.startsWith('file://') ? fileURLToPath(address) : address;
  const isTheirs =
    path !== '' &&
    !path.includes(`${sep}node_modules${sep}`) &&
    !own.some((folder) => path.startsWith(folder));
  return isTheirs ? [`${path}:${position}`] : [];
}

const program = dirname(fileURLToPath(import.meta.url)).replace(/[/\\]chunks$/, '');
/** The folders of tuneloom's own code, and of the sources that its source maps lead to. */
const own = [program, join(dirname(program), 'src')].map((folder) => `${folder}${sep}`);
