import type { DagNode } from '../graph/dag.ts';
import type { Decision } from '../plan/decision.ts';
import type { PortContent } from '../store/digest.ts';

/** A stage that has to run, and what with. */
export interface StageTask {
  readonly node: DagNode;
  readonly decision: Extract<Decision, { kind: 'run' }>;
  readonly inputs: Readonly<Record<string, PortContent>>;
}

/** One moment by two clocks: the calendar's, and the one that nobody sets. */
export interface Start {
  readonly date: Date;
  readonly clock: number;
}

export const startNow = (): Start => ({ date: new Date(), clock: performance.now() });

export const millisecondsSince = ({ clock }: Start): number => Math.round(performance.now() - clock);
