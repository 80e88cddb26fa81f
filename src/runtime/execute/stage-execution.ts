import type { StageAction } from '../stage/stage-action.ts';
import type { StageDefinition, StageReport } from '../stage/stage-definition.ts';
import type { SharedProcesses } from './shared-processes.ts';

/** One attempt at a stage, wherever it runs. */
export interface StageExecution {
  readonly definition: StageDefinition;
  readonly action: StageAction;
  /** The attempt's own folder in the store. */
  readonly folder: string;
  /** The JavaScript file that `child` stages run in. */
  readonly stageProcess: string;
  /** What `shared` stages run in. */
  readonly processes: SharedProcesses;
  readonly timeoutMs: number | undefined;
  readonly graceMilliseconds: number;
  readonly signal: AbortSignal;
  readonly report: (report: StageReport) => void;
}
