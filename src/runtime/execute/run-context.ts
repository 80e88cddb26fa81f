import type { RunEvent } from '../event/run-event.ts';
import type { Circumstances } from '../plan/stage-planner.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { Resolutions } from '../store/resolution.ts';
import type { SharedProcesses } from './shared-processes.ts';

/** What every stage of a run shares. */
export interface RunContext extends Circumstances {
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
