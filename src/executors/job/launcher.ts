import type { Failure, StageResources } from '../../runtime/index.ts';

/** Starts the processes of jobs, by itself or through a scheduler, and tells what has become of them. */
export interface Launcher {
  /** The job as people call it: `Slurm job 17`. */
  readonly placeOf: (id: string | undefined) => string;
  /**
   * Starts the process of a job's folder and gives the job's number. Throws a UserError that says why it is refused.
   */
  start(job: LaunchedJob): Promise<string>;
  /** The number of a job that may have been started under this name before a crash; undefined if there is none. */
  find(job: Pick<LaunchedJob, 'name' | 'folder'>): Promise<string | undefined>;
  state(id: string): Promise<JobState>;
  /** `now`: without time to keep its state. */
  stop(id: string, how: { readonly now: boolean }): Promise<void>;
  /** Says more about how a job failed, where its scheduler knows more. */
  explain(job: { readonly id: string; readonly folder: string }, failure: Failure): Promise<Failure>;
}

export interface LaunchedJob {
  /** Unique among all jobs. */
  readonly name: string;
  /** What people see in a queue. */
  readonly stage: string;
  readonly folder: string;
  readonly resources: StageResources;
  /** The variables of its stage, with their values. */
  readonly environment: Readonly<Record<string, string>>;
  readonly root: string;
}

export type JobState =
  /** In a queue; a reason in the scheduler's words. */
  | { readonly kind: 'waiting'; readonly because?: string }
  | { readonly kind: 'running' }
  /** It was ended to make room for another; it can be started again. */
  | { readonly kind: 'preempted' }
  | { readonly kind: 'ended'; readonly failure?: Failure }
  /** The scheduler does not answer. */
  | { readonly kind: 'unknown'; readonly because: string };
