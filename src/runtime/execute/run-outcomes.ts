import type { Dag, DagNode } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { type Lock, lockAfter, writeLock } from '../plan/lock.ts';
import { stagesUnlike } from '../plan/lock-differences.ts';
import type { RunEvent } from '../stage/run-event.ts';
import type { Resolutions } from '../store/resolution.ts';
import type { RunOutcome, StageOutcome } from '../store/run-records.ts';
import type { RunResult } from './run-options.ts';
import type { StageOutcomes } from './run-stages.ts';

/** The outcomes of all chosen stages in topological order; those that the run did not reach are skipped, with the reason. */
export function allOutcomes(
  nodes: ReadonlyMap<string, DagNode>,
  run: {
    readonly reached: StageOutcomes;
    readonly interrupted: boolean;
    readonly emit: (event: RunEvent) => void;
  },
): StageOutcomes {
  const { reached, interrupted, emit } = run;
  const firstFailure = [...nodes.keys()].find((id) => reached.get(id)?.decision === 'failed');
  const causes = new Map<string, string>();
  const outcomes = new Map<string, StageOutcome>();
  for (const [id, node] of nodes) {
    const outcome = reached.get(id);
    if (outcome?.decision === 'failed') causes.set(id, id);
    const cause = causeAbove(node, causes);
    if (cause !== undefined) causes.set(id, cause);
    if (outcome !== undefined) {
      outcomes.set(id, outcome);
      continue;
    }
    const because = interrupted ? 'the run was interrupted' : becauseOf({ cause, firstFailure });
    outcomes.set(id, { decision: 'skipped', uses: node.definition.name, because });
    emit({ type: 'stage-skipped', stage: id, because });
  }
  return outcomes;
}

/** The stage whose failure keeps this one from running, through however many others. */
const causeAbove = (node: DagNode, causes: ReadonlyMap<string, string>): string | undefined =>
  Object.values(node.inputs)
    .map(({ stage }) => causes.get(stage))
    .find((cause) => cause !== undefined);

const becauseOf = (why: {
  readonly cause: string | undefined;
  readonly firstFailure: string | undefined;
}): string =>
  why.cause === undefined
    ? `the run stopped when \`${why.firstFailure}\` failed`
    : `it needs \`${why.cause}\`, which failed`;

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
