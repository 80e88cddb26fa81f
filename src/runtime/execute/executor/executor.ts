import { ok, type Result } from '../../../core/index.ts';
import type { Digest, PortContent } from '../../key/digest.ts';
import type { Failure } from '../../stage/run-event.ts';
import type { StageAction } from '../../stage/stage-action.ts';
import type { StageDefinition, StageReport } from '../../stage/stage-definition.ts';
import type { Fingerprint } from '../../store/action-records.ts';
import type { Store } from '../../store/store.ts';
import type { Measurements } from '../stage-message.ts';

/**
 * Where actions run: here, on another machine, or in a cluster's jobs. It runs any number of them, several of one stage as
 * well, as long as each has its own folder. The process that asks for them alone commits what they make.
 */
export interface Executor extends AsyncDisposable {
  /** `local`, or its name in the settings. */
  readonly name: string;
  /** The most actions at a time, and how many of them may use an accelerator; absent: its scheduler decides. */
  readonly limits: { readonly jobs?: number; readonly accelerators?: number };
  /**
   * `paths`: it reads and writes the paths that the action names. `digests`: it has its own store, and is told what lies at
   * each path of the action, where nothing has to be.
   */
  readonly reads: 'paths' | 'digests';
  /**
   * Starts an action. If a process that died has submitted the job of this folder before, takes that job up instead. An
   * abort ends the wait for an answer; a job that may have started is canceled.
   */
  submit(job: Job, signal: AbortSignal): Promise<Result<SubmittedJob, JobFailure>>;
}

/** One action to run. */
export interface Job {
  readonly definition: StageDefinition;
  readonly action: StageAction;
  /** The attempt's folder in the store of the run: the log goes there, and what finds the job again. */
  readonly folder: string;
  readonly store: Store;
  /** Distinguishes it from every other job, also on other machines; a name for files. */
  readonly name: string;
  /** The contents that the action reads: path -> digest, and where its bytes are if they are no blobs of the store. */
  readonly contents: ReadonlyMap<string, { readonly digest: Digest; readonly source?: string }>;
  readonly timeoutMs: number | undefined;
  readonly graceMilliseconds: number;
}

export interface SubmittedJob {
  /** Passes on what it reports, live, until it has ended. */
  watch(report: (report: StageReport) => void): Promise<Result<JobEnd, JobFailure>>;
  /** Asks it to stop, and kills it after the grace time; `watch` then ends with `interrupted`. */
  cancel(): void;
  /** Brings the outputs of a job that has succeeded into the run's store. Every byte is hashed here. */
  collect(signal: AbortSignal): Promise<Result<Readonly<Record<string, PortContent>>, JobFailure>>;
}

export interface JobEnd {
  readonly measurements: Measurements;
  /** The machine that it ran on, if not this one. */
  readonly machine?: Fingerprint;
}

export interface JobFailure {
  readonly failure: Failure;
  /** The job may go on, with its folder: who submits it again takes it up. */
  readonly mayRun?: true;
}

/** Runs a job to its end: submits it, passes on its reports, and cancels it when the signal aborts. */
export async function runJob(
  executor: Pick<Executor, 'submit'>,
  job: Job,
  { signal, report }: { readonly signal: AbortSignal; readonly report: (report: StageReport) => void },
): Promise<Result<JobEnd & Pick<SubmittedJob, 'collect'>, JobFailure>> {
  const submitted = await executor.submit(job, signal);
  if (!submitted.ok) return submitted;
  const { value } = submitted;
  const cancel = (): void => value.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const end = await value.watch(report);
    return end.ok ? ok({ ...end.value, collect: (stop) => value.collect(stop) }) : end;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
