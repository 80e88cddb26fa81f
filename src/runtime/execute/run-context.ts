import type { Dag, DagNode } from '../graph/dag.ts';
import type { Digest, PortContent } from '../key/digest.ts';
import type { Decision, PlanningContext } from '../plan/decide.ts';
import type { StageSelection } from '../plan/select-stages.ts';
import type { Remotes } from '../sharing/remotes.ts';
import type { RunEvent } from '../stage/run-event.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { Resolutions } from '../store/resolution.ts';
import type { RunOutcome, StageOutcome } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';
import type { Executor } from './executor/executor.ts';

export interface RunOptions extends StageSelection {
  readonly dag: Dag;
  readonly store: Store;
  /** Path of the JavaScript file that calls serveStageProcess: what `child` and `shared` stages run in. */
  readonly stageProcess: string;
  /** How many stages may run at the same time; by default as many as their executors take. */
  readonly jobs?: number;
  /** Where a stage runs; undefined: on this machine. The caller closes the executors. */
  readonly executorFor?: (node: DagNode) => Promise<Executor | undefined>;
  /** After a failure, run what does not depend on it. */
  readonly keepGoing?: boolean;
  /** Refuse to run if a source or a stage differs from the lock. */
  readonly locked?: boolean;
  /** Do not write the lock. */
  readonly leaveLock?: boolean;
  /** Leave the run out of the list of experiments. */
  readonly unlisted?: boolean;
  /** Wins over the stages' own `resources`. */
  readonly resources?: StageAction['resources'];
  /** When aborted, running stages are asked to stop and the run ends as interrupted. */
  readonly signal?: AbortSignal;
  /** Where records and contents are looked for that the store lacks. */
  readonly remotes?: Remotes;
  /** How long a stage may take to stop, in milliseconds, before its process is killed. */
  readonly graceMilliseconds?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

/** How a run ended. */
export interface RunResult {
  /** The id of its record. */
  readonly run: string;
  readonly outcome: RunOutcome;
  readonly milliseconds: number;
  /** Every selected stage, in topological order. */
  readonly stages: ReadonlyMap<string, StageOutcome>;
  /** With `locked`: the stages whose results differ from the lock. */
  readonly differFromLock: readonly string[];
  /** Why the run has no record, as a sentence without its full stop. */
  readonly journalProblem: string | undefined;
  /** Why the lock could not be written, as a sentence without its full stop. */
  readonly lockProblem: string | undefined;
}

/** What every stage of a run shares. */
export interface RunContext extends PlanningContext {
  readonly remotes: Remotes | undefined;
  /** Contents that were needed and that no remote gave: the stages that make them run. */
  readonly unreachable: Set<Digest>;
  readonly run: string;
  /** Of the remote sources. */
  readonly resolutions: Resolutions;
  readonly stageProcess: string;
  readonly executorFor: (node: DagNode) => Promise<Executor>;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly resources: StageAction['resources'];
  readonly signal: AbortSignal;
  readonly graceMilliseconds: number;
  readonly emit: (event: RunEvent) => void;
}

/** A stage that has to run, with its inputs. */
export interface StageTask {
  readonly node: DagNode;
  readonly decision: Extract<Decision, { kind: 'run' }>;
  readonly inputs: Readonly<Record<string, PortContent>>;
  readonly executor: Executor;
}

/** A time on the wall clock and on the monotonic clock. */
export interface Start {
  readonly date: Date;
  readonly clock: number;
}

export const startNow = (): Start => ({ date: new Date(), clock: performance.now() });

export const millisecondsSince = ({ clock }: Start): number => Math.round(performance.now() - clock);
