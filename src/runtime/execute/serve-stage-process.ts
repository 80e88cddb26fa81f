import { readFile } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { err, type Result, UserError } from '../../core/index.ts';
import { hideSecrets, secretsIn } from '../stage/hide-secrets.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageModule, StageRegistry } from '../stage/stage-definition.ts';
import { failureOf, runAction } from './run-action.ts';
import {
  isActMessage,
  isStopMessage,
  type LastWord,
  type Measurements,
  type StageMessage,
} from './stage-message.ts';

/** How long a stage may go on, in milliseconds, once nobody waits for it any more. */
const orphanMilliseconds = 2000;

/** The first argument of a process that serves actions as messages name them; any other is an action's file. */
export const serveMany = '--serve';

/**
 * The whole of a stage process: runs the action file that its first argument names and ends, or one action after the
 * other until its parent lets it go. It leaves Ctrl-C to its parent, stops when the parent says so, and does not outlive it.
 */
export async function serveStageProcess(registry: StageRegistry): Promise<void> {
  process.on('SIGINT', () => {});
  const [, , path] = process.argv;
  if (path === serveMany) {
    // In flight, if any; the parent asks for one at a time.
    let stop: AbortController | undefined;
    endWithParent(() => stop);
    process.on('message', async (message) => {
      if (!isActMessage(message)) return;
      stop = new AbortController();
      const word = await lastWordOf({ path: message.actionFile, registry, signal: stop.signal });
      stop = undefined;
      if (!process.connected) process.exit(1);
      send(word);
    });
    return;
  }
  const stop = new AbortController();
  endWithParent(() => stop);
  leave(await lastWordOf({ path, registry, signal: stop.signal }));
}

/** Stops what is at work when the parent says so or is gone. */
function endWithParent(atWork: () => AbortController | undefined): void {
  process.on('message', (message) => {
    if (isStopMessage(message)) atWork()?.abort();
  });
  process.on('disconnect', () => {
    const stop = atWork();
    if (stop === undefined) process.exit(0);
    stop.abort();
    setTimeout(() => process.exit(1), orphanMilliseconds);
  });
  process.on('uncaughtException', (error) => {
    const signal = atWork()?.signal ?? new AbortController().signal;
    leave({ type: 'failed', failure: failureOf(error, signal) });
  });
}

interface FileToRun {
  readonly path: string | undefined;
  readonly registry: StageRegistry;
  readonly signal: AbortSignal;
}

async function lastWordOf(request: FileToRun): Promise<LastWord> {
  const outcome = await runFile(request);
  return outcome.ok
    ? { type: 'finished', measurements: outcome.value }
    : { type: 'failed', failure: outcome.error };
}

async function runFile({ path, registry, signal }: FileToRun): Promise<Result<Measurements, Failure>> {
  try {
    if (path === undefined) throw new Error('a stage process takes the path of an action file');
    // Written by the process that started this one.
    const action = JSON.parse(await readFile(path, 'utf8')) as StageAction;
    hideInOutput(secretsIn((action.environment ?? []).flatMap((name) => process.env[name] ?? [])));
    const definition =
      action.code === undefined ? registry.get(action.uses) : { load: () => loadCode(action.code ?? '') };
    if (definition === undefined) throw new Error(`no stage is called ${action.uses}`);
    return await runAction(
      { definition, action },
      { signal, report: (report) => send({ type: 'report', report }) },
    );
  } catch (error) {
    return err(failureOf(error, signal));
  }
}

function send(message: StageMessage): void {
  if (process.connected) process.send?.(message);
}

/** Says the last word and ends at once: native libraries may hold threads that would keep the process. */
function leave(message: LastWord): void {
  const exitCode = message.type === 'finished' ? 0 : 1;
  if (!process.connected) process.exit(exitCode);
  process.send?.(message, () => process.exit(exitCode));
}

/** Loads the bundled code of a user's stage. What it throws is told with the line of the user's own file. */
export async function loadCode(path: string): Promise<StageModule> {
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    const { run } = Object(module);
    if (typeof run !== 'function') throw new Error('`run` is not a function');
    return { run: (action, host) => Promise.resolve(run(action, host)).catch(throwAsTheirs) };
  } catch (error) {
    return throwAsTheirs(error);
  }
}

function throwAsTheirs(error: unknown): never {
  if (error instanceof Error && (error.name === 'UserError' || error.name === 'AbortError')) throw error;
  const {
    name,
    message,
    stack = '',
  } = error instanceof Error ? error : { name: 'a value', message: String(error) };
  const frames = stack.split('\n').flatMap(frameOf);
  const [place] = frames;
  throw new UserError({
    code: 'stage-threw',
    message: `${place === undefined ? '' : `${place}: `}${name}: ${message}`,
    ...(frames.length > 1 && { help: `it came there by way of ${frames.slice(1, 4).join(', ')}` }),
    cause: error,
  });
}

/** The place that a line of a stack trace names, if it is in code of the user's own. */
function frameOf(line: string): readonly string[] {
  const [, address = '', position = ''] =
    /^\s+at .*?((?:file:\/\/)?\/[^()]*?):(\d+:\d+)\)?$/.exec(line) ?? [];
  const path = address.startsWith('file://') ? fileURLToPath(address) : address;
  const isTheirs = path !== '' && !path.includes(`${sep}node_modules${sep}`) && !path.startsWith(own);
  return isTheirs ? [`${path}:${position}`] : [];
}

/** The folder that tuneloom itself runs from. */
const own = `${dirname(fileURLToPath(import.meta.url)).replace(/[/\\]chunks$/, '')}${sep}`;

/** From here on nothing that this process's code writes to its output shows one of these texts. */
function hideInOutput(secrets: readonly string[]): void {
  if (secrets.length === 0) return;
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array, ...rest: never[]) =>
      write(hideSecrets(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString(), secrets), ...rest);
  }
}
