import type { Failure } from '../event/failure.ts';
import { err, ok, type Result } from '../result.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageDefinition, StageHost } from '../stage/stage-definition.ts';
import { failureOf } from './failure-of.ts';
import type { Measurements } from './stage-message.ts';
import { throttleProgress } from './throttle-progress.ts';

/** Loads a stage's code and runs one action in this process. Never throws. */
export async function runAction(
  {
    definition,
    action,
  }: { readonly definition: Pick<StageDefinition, 'load'>; readonly action: StageAction },
  { signal, report }: StageHost,
): Promise<Result<Measurements, Failure>> {
  const progress = throttleProgress(report);
  try {
    const { run } = await definition.load();
    return ok(await run(action, { signal, report: progress.report }));
  } catch (error) {
    return err(failureOf(error, signal));
  } finally {
    progress.flush();
  }
}
