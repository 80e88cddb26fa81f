import { err, ok, type Result } from '../../core/index.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageDefinition, StageHost, StageReport } from '../stage/stage-definition.ts';
import { failureOf } from './failure-of.ts';
import type { Measurements } from './stage-message.ts';

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

const millisecondsBetween = 50;

/** Lets through at most one value every 50 ms; the others are dropped. */
export function throttled<Value>(
  report: (value: Value) => void,
  now: () => number = performance.now.bind(performance),
): (value: Value) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    if (now() - last < millisecondsBetween) return;
    last = now();
    report(value);
  };
}

/** Lets notes through at once and progress at most every 50 ms; `flush` says the progress that was held back last. */
function throttleProgress(
  report: (report: StageReport) => void,
  now: () => number = performance.now.bind(performance),
): { readonly report: (report: StageReport) => void; readonly flush: () => void } {
  let last = Number.NEGATIVE_INFINITY;
  let held: StageReport | undefined;
  const flush = (): void => {
    if (held !== undefined) report(held);
    held = undefined;
  };
  return {
    flush,
    report: (next) => {
      if (next.type === 'note') {
        flush();
        report(next);
      } else if (now() - last >= millisecondsBetween) {
        last = now();
        held = undefined;
        report(next);
      } else {
        held = next;
      }
    },
  };
}
