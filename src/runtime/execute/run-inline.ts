import type { Failure } from '../event/failure.ts';
import { err, type Result } from '../result.ts';
import { runAction } from './run-action.ts';
import type { StageExecution } from './stage-execution.ts';
import type { Measurements } from './stage-message.ts';
import { stopWhenAsked } from './stop-when-asked.ts';

/** Runs an action in this process: for stages that are too short to be worth another. */
export async function runInline(execution: StageExecution): Promise<Result<Measurements, Failure>> {
  const { definition, action, report } = execution;
  const asked = new AbortController();
  let leave = (): void => {};
  // What does not end when asked is no longer waited for: nothing else can be done to it here.
  const abandoned = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined);
  });
  using stopping = stopWhenAsked({ ...execution, ask: () => asked.abort(), force: leave });
  const work = runAction({ definition, action }, { signal: asked.signal, report });
  const result = await Promise.race([work, abandoned]);
  if (result?.ok) return result;
  return err(stopping.cause() ?? result?.error ?? { kind: 'interrupted' });
}
