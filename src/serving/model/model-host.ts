import { type JobEvent, ModelProcess, type ModelProcessOptions } from './model-process.ts';
import type { ServedModel, TextJob } from './protocol.ts';

interface ModelHostOptions extends ModelProcessOptions {
  /** Called when the process has ended and is started again. */
  readonly onRestart: (how: string) => void;
  /** Called when it is not started again. */
  readonly onGone: (how: string) => void;
}

/**
 * Keeps a model's process alive: one that ends is started again, unless it has answered nothing since its start. The
 * requests that it was answering fail.
 */
export class ModelHost implements AsyncDisposable {
  readonly #options: ModelHostOptions;
  readonly served: ServedModel;
  #process: ModelProcess | undefined;
  #isClosed = false;
  #restarts = 0;

  private constructor(options: ModelHostOptions, process: ModelProcess) {
    this.#options = options;
    this.served = process.served;
    this.#watch(process);
  }

  /** Waits until the model is loaded. Throws a UserError if it cannot be. */
  static async open(options: ModelHostOptions): Promise<ModelHost> {
    return new ModelHost(options, await ModelProcess.open(options));
  }

  /** Whether requests can be answered now. */
  get isReady(): boolean {
    return this.#process !== undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get load(): ModelProcess['load'] {
    return this.#process?.load ?? { running: 0, waiting: 0 };
  }

  /** What the model's process says of a request, up to the end of its last answer. Ending the iteration ends the answers. */
  async *write(job: TextJob, signal: AbortSignal): AsyncGenerator<JobEvent> {
    const process = this.#process;
    if (process === undefined) return;
    const events: JobEvent[] = [];
    let wake = (): void => {};
    const cancel = process.write(job, (event) => {
      events.push(event);
      wake();
    });
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort);
    let open = job.prompts.length * job.samples;
    try {
      while (open > 0) {
        const event = events.shift();
        if (event === undefined) {
          signal.throwIfAborted();
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        yield event;
        if (event.type === 'refused' || event.type === 'failed') return;
        if (event.type === 'piece' && event.piece.ended !== undefined) open -= 1;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      cancel();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#process?.[Symbol.asyncDispose]();
  }

  #watch(process: ModelProcess): void {
    this.#process = process;
    void process.ended.then((how) => {
      this.#process = undefined;
      if (this.#isClosed) return;
      if (process.hasAnswered) return this.#restart(how);
      this.#options.onGone(how);
    });
  }

  async #restart(how: string): Promise<void> {
    this.#restarts += 1;
    this.#options.onRestart(how);
    try {
      const process = await ModelProcess.open(this.#options);
      this.#watch(process);
      if (this.#isClosed) await process[Symbol.asyncDispose]();
    } catch (error) {
      this.#options.onGone(error instanceof Error ? error.message : String(error));
    }
  }
}
