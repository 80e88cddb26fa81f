import type { DagNode } from '../graph/dag.ts';
import type { StageOutcome } from '../store/run-records.ts';
import type { RunContext } from './run-context.ts';

/** How each stage ended. */
export type StageOutcomes = ReadonlyMap<string, StageOutcome>;

/** The outcomes of all selected stages, in topological order. A stage that the run did not reach is skipped, with the reason. */
export function withSkipped(
  nodes: ReadonlyMap<string, DagNode>,
  reached: StageOutcomes,
  { signal, emit }: Pick<RunContext, 'signal' | 'emit'>,
): StageOutcomes {
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
    const because = signal.aborted ? 'the run was interrupted' : becauseOf(cause, firstFailure);
    outcomes.set(id, { decision: 'skipped', uses: node.definition.name, because });
    emit({ type: 'stage-skipped', stage: id, because });
  }
  return outcomes;
}

/** The stage upstream, near or far, whose failure keeps this one from running. */
const causeAbove = (node: DagNode, causes: ReadonlyMap<string, string>): string | undefined =>
  Object.values(node.inputs)
    .map(({ stage }) => causes.get(stage))
    .find((cause) => cause !== undefined);

const becauseOf = (cause: string | undefined, firstFailure: string | undefined): string =>
  cause === undefined ? `the run stopped when \`${firstFailure}\` failed` : `upstream \`${cause}\` failed`;
