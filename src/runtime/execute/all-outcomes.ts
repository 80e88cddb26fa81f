import type { RunEvent } from '../event/run-event.ts';
import type { DagNode } from '../graph/dag.ts';
import type { StageOutcome } from '../store/run-record.ts';
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
