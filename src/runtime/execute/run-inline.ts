import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../event/failure.ts';
import { err, type Result } from '../result.ts';
import { runAction } from './run-action.ts';
import type { StageExecution } from './stage-execution.ts';
import type { Measurements } from './stage-message.ts';

/** Runs an action in this process: for stages that are too short to be worth another. */
export async function runInline(execution: StageExecution): Promise<Result<Measurements, Failure>> {
  const { definition, action, signal, timeoutMs, report } = execution;
  if (timeoutMs === undefined) return runAction({ definition, action }, { signal, report });
  const ended = new AbortController();
  const timeout = new AbortController();
  const work = runAction(
    { definition, action },
    { signal: AbortSignal.any([signal, timeout.signal]), report },
  );
  const clock = sleep(timeoutMs, undefined, { signal: ended.signal }).then(
    () => true,
    () => false,
  );
  const winner = await Promise.race([work, clock.then((late) => (late ? undefined : work))]);
  ended.abort();
  if (winner !== undefined) return winner;
  timeout.abort();
  await Promise.race([work, sleep(execution.graceMilliseconds, undefined, { ref: false })]);
  return err({ kind: 'timeout', milliseconds: timeoutMs });
}
