import type { DagNode } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import type { Decision } from './decision.ts';

/** What a run would do now, as far as that can be known before it. */
export interface Plan {
  /** The chosen stages in topological order. */
  readonly stages: ReadonlyMap<string, PlannedStage>;
  readonly sources: SourceDigests;
}

export interface PlannedStage {
  readonly node: DagNode;
  readonly decision: Decision;
  /** How long the stage took when it last ran. */
  readonly lastMilliseconds: number | undefined;
}
