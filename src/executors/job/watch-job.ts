import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../../core/index.ts';
import type { Failure, JobEnd, JobFailure, StageError, StageReport } from '../../runtime/index.ts';
import { type JobEvent, JobEventReader } from './job-events.ts';
import type { JobSite } from './job-site.ts';
import type { JobState } from './launcher.ts';

interface WatchedJob {
  readonly site: Omit<JobSite, 'submit' | 'restart'>;
  readonly folder: string;
  readonly place: string;
  /** How often its scheduler is asked, in milliseconds. Its events are seen at once. */
  readonly pollMs: number;
  readonly graceMilliseconds: number;
  readonly canceled: AbortSignal;
  readonly report: (report: StageReport) => void;
  /** Submits it again; gives its new place. */
  readonly restart: () => Promise<string>;
}

/** How long the events of a job may take to arrive here once its scheduler says that it has ended: a network disk's delay. */
const lateMilliseconds = 5000;
/** How long one look at the events waits for news. */
const waitMs = 1000;
/** Of a job that is asked to stop, in milliseconds beyond its grace time. */
const stopMargin = 5000;

/**
 * Follows a job to its end by its file of events, which its process writes, and by what its scheduler says where the
 * process can write no more. A job that was put back into a queue, or ended to make room for others, goes on.
 */
export async function watchJob(job: WatchedJob): Promise<Result<JobEnd, JobFailure>> {
  return await new JobWatch(job).run();
}

class JobWatch {
  readonly #job: WatchedJob;
  readonly #reader = new JobEventReader();
  #offset = 0;
  #place: string;
  #machine: JobEnd['machine'];
  #askedAt = performance.now();
  /** What the scheduler was asked; its answer may take minutes, during which events are still passed on. */
  #question: { answer?: Result<JobState, unknown> } | undefined;
  #stoppedFor: 'signal' | 'time' | undefined;
  #wasRunning = false;
  #lastNote = '';
  #stop: { readonly at: number; forced: boolean } | undefined;

  constructor(job: WatchedJob) {
    this.#job = job;
    this.#place = job.place;
  }

  async run(): Promise<Result<JobEnd, JobFailure>> {
    for (;;) {
      await this.#cancelIfAsked();
      const isUrgent = this.#stop !== undefined || this.#question !== undefined;
      const end = await this.#readEvents(isUrgent ? 100 : waitMs);
      if (end !== undefined) return end;
      const due = this.#stoppedFor !== undefined || this.#stop !== undefined ? 200 : this.#job.pollMs;
      if (this.#question === undefined && performance.now() - this.#askedAt >= due) this.#askScheduler();
      const answer = this.#question?.answer;
      if (answer === undefined) continue;
      if (!answer.ok) throw answer.error;
      this.#question = undefined;
      this.#askedAt = performance.now();
      const settled = await this.#settle(answer.value);
      if (settled !== undefined) return settled;
    }
  }

  #askScheduler(): void {
    const question: { answer?: Result<JobState, unknown> } = {};
    this.#question = question;
    const { site, folder } = this.#job;
    site.state(folder).then(
      (state) => {
        question.answer = ok(state);
      },
      (error: unknown) => {
        question.answer = err(error);
      },
    );
  }

  async #cancelIfAsked(): Promise<void> {
    const { canceled, site, folder, graceMilliseconds } = this.#job;
    if (!canceled.aborted) return;
    if (this.#stop === undefined) {
      this.#stop = { at: performance.now(), forced: false };
      await site.stop(folder, { now: false });
    } else if (!this.#stop.forced && performance.now() - this.#stop.at > graceMilliseconds) {
      this.#stop.forced = true;
      await site.stop(folder, { now: true });
    }
  }

  /** Takes what is new in the file; the end, if it holds that. */
  async #readEvents(wait: number): Promise<Result<JobEnd, JobFailure> | undefined> {
    const { site, folder, canceled } = this.#job;
    const hasNews = async (): Promise<Uint8Array> =>
      site.read(folder, 'events', { offset: this.#offset, waitMs: canceled.aborted ? 0 : wait });
    const aborted = abortOf(canceled);
    const piece = await Promise.race([hasNews(), aborted.promise]).finally(aborted.forget);
    if (piece === undefined) return undefined;
    this.#offset += piece.length;
    if (piece.length === 0 && canceled.aborted) await sleep(50);
    for (const event of this.#reader.read(piece)) {
      const end = await this.#take(event);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  async #take(event: JobEvent): Promise<Result<JobEnd, JobFailure> | undefined> {
    const { report, canceled, site, folder } = this.#job;
    switch (event.type) {
      case 'began':
        this.#machine = event.machine;
        this.#stoppedFor = undefined;
        this.#wasRunning = true;
        // An answer from before would say that it still waits.
        this.#question = undefined;
        return undefined;
      case 'report':
        report(event.report);
        return undefined;
      case 'stopped':
        this.#stoppedFor = event.because;
        // Its process is about to exit, and its state is kept.
        return canceled.aborted ? err({ failure: { kind: 'interrupted' } }) : undefined;
      case 'finished':
        return ok({ measurements: event.measurements, ...(this.#machine && { machine: this.#machine }) });
      case 'failed':
        if (canceled.aborted) return err({ failure: { kind: 'interrupted' } });
        return err({ failure: await site.explain(folder, event.failure) });
      default:
        return event satisfies never;
    }
  }

  /** What follows from the scheduler's answer, if that is the end. */
  async #settle(state: JobState): Promise<Result<JobEnd, JobFailure> | undefined> {
    this.#tell(state);
    if (state.kind === 'ended' || state.kind === 'preempted') return await this.#ended(state);
    const { canceled, graceMilliseconds } = this.#job;
    const isOverdue = this.#stop && performance.now() - this.#stop.at > graceMilliseconds + stopMargin;
    if (canceled.aborted && isOverdue) {
      const failure: Failure = { kind: 'interrupted' };
      return state.kind === 'unknown' ? err({ failure, mayRun: true }) : err({ failure });
    }
    return undefined;
  }

  async #ended(
    state: Extract<JobState, { kind: 'ended' | 'preempted' }>,
  ): Promise<Result<JobEnd, JobFailure> | undefined> {
    const { canceled, restart, site, folder } = this.#job;
    if (canceled.aborted) return (await this.#readEvents(0)) ?? err({ failure: { kind: 'interrupted' } });
    // Its last words may still be on their way.
    for (const until = performance.now() + lateMilliseconds; performance.now() < until; ) {
      const end = await this.#readEvents(200);
      if (end !== undefined) return end;
      if (this.#stoppedFor !== undefined) break;
    }
    // A job whose node is gone looks ended for a moment, before it is put back into the queue.
    const present = await site.state(folder);
    if (present.kind === 'waiting' || present.kind === 'running') return undefined;
    if (this.#stoppedFor === 'time') return err({ failure: await this.#explained(timeLimit) });
    // Whoever ended it gave it time to keep its state, as before a preemption; a cancellation has a failure.
    if (state.kind === 'preempted' || (this.#stoppedFor === 'signal' && state.failure === undefined)) {
      this.#note(`${this.#place} had to make room; it is submitted again and goes on from its state`);
      this.#stoppedFor = undefined;
      this.#place = await restart();
      return undefined;
    }
    const failure: Failure = state.failure ?? {
      kind: 'stage-error',
      code: lostJob,
      message: `${this.#place} has ended and did not say how`,
      help: 'is the disk that it writes to full, or not the one of this machine?',
    };
    return err({ failure: await this.#explained(failure) });
  }

  #explained(failure: Failure): Promise<Failure> {
    return this.#job.site.explain(this.#job.folder, failure);
  }

  #tell(state: JobState): void {
    if (state.kind === 'running') this.#wasRunning = true;
    if (state.kind === 'waiting') {
      if (this.#wasRunning)
        this.#note(`${this.#place} was put back into the queue; it goes on from its state`);
      else this.#note(`${this.#place} waits in the queue${state.because ? `: ${state.because}` : ''}`);
      this.#wasRunning = false;
    }
    if (state.kind === 'unknown') this.#note(`${this.#place} cannot be asked about: ${state.because}`);
  }

  #note(message: string): void {
    if (message !== this.#lastNote) this.#job.report({ type: 'note', level: 'info', message });
    this.#lastNote = message;
  }
}

/** Of a job whose process left no word; its launcher may know more. */
export const lostJob = 'job-lost';

/** What the launcher replaces by the words of its scheduler. */
export const timeLimit: StageError = {
  kind: 'stage-error',
  code: 'job-time-limit',
  message: 'its job reached its time limit',
  help: 'raise `resources: { time }` of the stage; it goes on from its state with the next run',
};

function abortOf(signal: AbortSignal) {
  let forget = (): void => {};
  const promise = new Promise<undefined>((resolve) => {
    if (signal.aborted) return;
    const listener = (): void => resolve(undefined);
    signal.addEventListener('abort', listener, { once: true });
    forget = () => signal.removeEventListener('abort', listener);
  });
  return { promise, forget: () => forget() };
}
