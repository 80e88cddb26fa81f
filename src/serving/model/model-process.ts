import { type ChildProcess, fork } from 'node:child_process';
import { UserError, withLargePages } from '../../core/index.ts';
import type { ModelAnswer, ModelRequest, ModelToServe, ServedModel, TextJob } from './protocol.ts';

/** What the process says of one request. */
export type JobEvent = Extract<ModelAnswer, { type: 'begun' | 'piece' | 'refused' | 'failed' }>;

export interface ModelProcessOptions {
  /** Absolute path of the program of the process. */
  readonly script: string;
  readonly model: ModelToServe;
  readonly environment: NodeJS.ProcessEnv;
  /** Ends the loading. */
  readonly signal: AbortSignal;
  readonly onNote: (message: string) => void;
}

/** How many rows are written and wait. */
interface Load {
  readonly running: number;
  readonly waiting: number;
}

const graceMilliseconds = 2000;
/** How much of what a process complains of is kept. */
const mostComplaints = 2000;

/** A model in a process of its own. */
export class ModelProcess implements AsyncDisposable {
  readonly served: ServedModel;
  readonly #child: ChildProcess;
  readonly #jobs = new Map<number, (event: JobEvent) => void>();
  #next = 1;
  #load: Load = { running: 0, waiting: 0 };
  /** How many requests it has answered to their end. */
  #answered = 0;
  /** Settles when the process has ended, with how. */
  readonly ended: Promise<string>;

  private constructor(opened: { child: ChildProcess; served: ServedModel; ended: Promise<string> }) {
    this.#child = opened.child;
    this.served = opened.served;
    this.ended = opened.ended;
    this.#child.on('message', this.#receive);
    void this.ended.then((how) => {
      for (const [id, listen] of this.#jobs) listen({ type: 'failed', id, message: how });
      this.#jobs.clear();
    });
  }

  /** Waits until the model is loaded. Throws a UserError if it cannot be, and the signal's reason. */
  static async open({
    script,
    model,
    environment,
    signal,
    onNote,
  }: ModelProcessOptions): Promise<ModelProcess> {
    signal.throwIfAborted();
    const child = fork(script, [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
      env: withLargePages(environment),
    });
    const ended = endOf(child);
    const opened = new Promise<ServedModel>((resolve, reject) => {
      const onMessage = (answer: ModelAnswer): void => {
        if (answer.type === 'note') onNote(answer.message);
        if (answer.type !== 'ready' && answer.type !== 'unusable') return;
        child.off('message', onMessage);
        if (answer.type === 'ready') resolve(answer.model);
        else reject(unusable(answer));
      };
      child.on('message', onMessage);
      signal.addEventListener('abort', () => reject(signal.reason));
      void ended.then((how) => reject(new UserError({ code: 'model-process', message: how })));
    });
    child.send({ type: 'open', model } satisfies ModelRequest, () => {});
    try {
      return new ModelProcess({ child, served: await opened, ended });
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get load(): Load {
    return this.#load;
  }

  get hasAnswered(): boolean {
    return this.#answered > 0;
  }

  /** Asks for the answers to a request; returns the function that ends it. */
  write(job: TextJob, listen: (event: JobEvent) => void): () => void {
    const id = this.#next++;
    let open = job.prompts.length * job.samples;
    const forget = (): void => void this.#jobs.delete(id);
    this.#jobs.set(id, (event) => {
      if (event.type === 'piece' && event.piece.ended !== undefined) open -= 1;
      if (event.type === 'refused' || event.type === 'failed' || open === 0) forget();
      if (open === 0) this.#answered += 1;
      listen(event);
    });
    this.#send({ type: 'write', id, job });
    return () => {
      if (!this.#jobs.has(id)) return;
      forget();
      this.#send({ type: 'cancel', id });
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMilliseconds);
    await this.ended;
    clearTimeout(timer);
  }

  #send(request: ModelRequest): void {
    // A process that has just ended fails its jobs when that is known.
    if (this.#child.connected) this.#child.send(request, () => {});
  }

  readonly #receive = (answer: ModelAnswer): void => {
    if (answer.type === 'load') this.#load = answer;
    else if (answer.type !== 'note' && answer.type !== 'ready' && answer.type !== 'unusable')
      this.#jobs.get(answer.id)?.(answer);
  };
}

const unusable = ({ message, help }: Extract<ModelAnswer, { type: 'unusable' }>): UserError =>
  new UserError({ code: 'unusable-model', message, ...(help === undefined ? {} : { help }) });

/** How a process ended, in words. */
function endOf(child: ChildProcess): Promise<string> {
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaints = (complaints + text.toString()).slice(-mostComplaints);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`the process of the model cannot run: ${error.message}`));
    // A process that was disconnected has no event `close`.
    child.once('exit', (code, signal) => {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}, perhaps for want of memory`;
      const tell = (): void =>
        resolve(`the process of the model was ended ${how}${complaints && `: ${complaints.trim()}`}`);
      if (child.stderr === null || child.stderr.closed) tell();
      else child.stderr.once('close', tell);
    });
  });
}
