import type { Dag } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { type Lock, lockAfter, writeLock } from '../plan/lock.ts';
import { stagesUnlike } from '../plan/lock-differences.ts';
import type { Resolutions } from '../store/resolution.ts';
import type { RunOutcome } from '../store/run-records.ts';
import type { RunResult } from './run-context.ts';
import type { StageOutcomes } from './run-stages.ts';

/** After a run: holds it to its lock where that was asked for, else writes the lock anew if all went well. */
export async function settleLock(
  dag: Dag,
  run: {
    readonly locked: boolean;
    readonly previous: Lock | undefined;
    readonly sources: SourceDigests;
    readonly resolutions: Resolutions;
    readonly outcome: RunOutcome;
    readonly outcomes: StageOutcomes;
  },
): Promise<Pick<RunResult, 'unlikeLock' | 'lockProblem'>> {
  const { locked, previous, sources, resolutions, outcome, outcomes } = run;
  if (locked) return { unlikeLock: stagesUnlike(previous, outcomes), lockProblem: undefined };
  if (outcome !== 'succeeded') return { unlikeLock: [], lockProblem: undefined };
  const lock = lockAfter({ dag, previous, sources, resolutions, outcomes });
  return { unlikeLock: [], lockProblem: await writeLock(dag, { lock, previous }) };
}
