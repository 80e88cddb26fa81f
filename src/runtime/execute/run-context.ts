import type { DagNode } from '../graph/dag.ts';
import type { Decision } from '../plan/decide.ts';
import type { PlanningContext } from '../plan/stage-planner.ts';
import type { RunEvent } from '../stage/run-event.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { PortContent } from '../store/digest.ts';
import type { Resolutions } from '../store/resolution.ts';
import type { SharedProcesses } from './shared-processes.ts';

/** What every stage of a run shares. */
export interface RunContext extends PlanningContext {
  readonly run: string;
  /** Of the remote sources. */
  readonly resolutions: Resolutions;
  readonly stageProcess: string;
  readonly processes: SharedProcesses;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly resources: StageAction['resources'];
  readonly signal: AbortSignal;
  readonly graceMilliseconds: number;
  readonly emit: (event: RunEvent) => void;
}

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
