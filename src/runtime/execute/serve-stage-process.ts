import { readFile } from 'node:fs/promises';
import type { Failure } from '../event/failure.ts';
import { err, type Result } from '../result.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageRegistry } from '../stage/stage-definition.ts';
import { failureOf } from './failure-of.ts';
import { loadCode } from './load-code.ts';
import { runAction } from './run-action.ts';
import { isStopMessage, type Measurements, type StageMessage } from './stage-message.ts';

/** How long a stage may go on, in milliseconds, once nobody waits for it any more. */
const orphanMilliseconds = 2000;

/**
 * The whole of a stage process: runs the action file that its first argument names and ends. It leaves Ctrl-C to its
 * parent, stops when the parent says so, and does not outlive it.
 */
export async function serveStageProcess(registry: StageRegistry): Promise<void> {
  const stop = new AbortController();
  process.on('SIGINT', () => {});
  process.on('message', (message) => {
    if (isStopMessage(message)) stop.abort();
  });
  process.on('disconnect', () => {
    stop.abort();
    setTimeout(() => process.exit(1), orphanMilliseconds);
  });
  process.on('uncaughtException', (error) =>
    leave({ type: 'failed', failure: failureOf(error, stop.signal) }),
  );
  const outcome = await runFile({ path: process.argv[2], registry, signal: stop.signal });
  leave(
    outcome.ok
      ? { type: 'finished', measurements: outcome.value }
      : { type: 'failed', failure: outcome.error },
  );
}

async function runFile(request: {
  readonly path: string | undefined;
  readonly registry: StageRegistry;
  readonly signal: AbortSignal;
}): Promise<Result<Measurements, Failure>> {
  const { path, registry, signal } = request;
  try {
    if (path === undefined) throw new Error('a stage process takes the path of an action file');
    // Written by the process that started this one.
    const action = JSON.parse(await readFile(path, 'utf8')) as StageAction;
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
function leave(message: Extract<StageMessage, { type: 'finished' | 'failed' }>): void {
  const exitCode = message.type === 'finished' ? 0 : 1;
  if (!process.connected) process.exit(exitCode);
  process.send?.(message, () => process.exit(exitCode));
}
