import type { RunOutcome, StageOutcome } from '../store/run-record.ts';

/** How a run ended. */
export interface RunResult {
  /** The id that its record is filed under. */
  readonly run: string;
  readonly outcome: RunOutcome;
  readonly milliseconds: number;
  /** Every chosen stage, in topological order. */
  readonly stages: ReadonlyMap<string, StageOutcome>;
  /** Of a run that was held to the lock: the stages that came to other results than it names. */
  readonly unlikeLock: readonly string[];
  /** Why the run is not on record, as a sentence without its full stop. */
  readonly journalProblem: string | undefined;
  /** Why the lock could not be written, as a sentence without its full stop. */
  readonly lockProblem: string | undefined;
}
