import { type ChildProcess, fork } from 'node:child_process';
import { UserError } from '../core/index.ts';

/** How answers are written: the fields of generate. */
export interface ChatSettings {
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
}

/** What the server sends to a conversation's process. */
export type ChatRequest =
  | {
      readonly type: 'open';
      readonly folder: string;
      readonly template: string | undefined;
      readonly system: string | undefined;
      readonly settings: ChatSettings;
    }
  | { readonly type: 'ask'; readonly text: string }
  /** Ends the answer that is being written; what there is of it stays. */
  | { readonly type: 'stop' }
  | { readonly type: 'reset' };

/** What the process sends back. */
export type ChatAnswer =
  | { readonly type: 'ready'; readonly notes: readonly string[] }
  /** The answer so far. */
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'answer';
      readonly text: string;
      readonly finishReason: 'stop' | 'length' | 'stopped';
      readonly tokens: number;
    }
  | { readonly type: 'error'; readonly message: string; readonly help?: string };

type Final = Extract<ChatAnswer, { type: 'answer' }>;

const graceMilliseconds = 2000;

/** A conversation with a model in a process of its own. */
export class ChatProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly notes: readonly string[];
  #busy = false;

  private constructor(child: ChildProcess, exited: Promise<void>, notes: readonly string[]) {
    this.#child = child;
    this.#exited = exited;
    this.notes = notes;
  }

  /** Waits until the model is loaded. Throws a UserError if it cannot be, or needs more memory than there is. */
  static async open(
    script: string,
    request: Omit<Extract<ChatRequest, { type: 'open' }>, 'type'>,
  ): Promise<ChatProcess> {
    const child = fork(script, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true });
    // Not `close`, which Node does not emit once the channel has been disconnected from here.
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const ready = exchange(child, { type: 'open', ...request }, (answer) => answer.type === 'ready');
    try {
      const answer = await ready;
      return new ChatProcess(child, exited, answer.type === 'ready' ? answer.notes : []);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get isBusy(): boolean {
    return this.#busy;
  }

  /** Answers a message, which the model reads after all before it. */
  async ask(text: string, onText: (text: string) => void): Promise<Final> {
    if (this.#busy) throw new UserError({ code: 'busy', message: 'the model is still answering' });
    this.#busy = true;
    try {
      const answer = await exchange(this.#child, { type: 'ask', text }, (one) => {
        if (one.type === 'text') onText(one.text);
        return one.type === 'answer';
      });
      if (answer.type !== 'answer') throw new Error(`unexpected answer ${answer.type}`);
      return answer;
    } finally {
      this.#busy = false;
    }
  }

  stop(): void {
    if (this.#child.connected) this.#child.send({ type: 'stop' } satisfies ChatRequest);
  }

  reset(): void {
    if (this.#child.connected) this.#child.send({ type: 'reset' } satisfies ChatRequest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMilliseconds);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** Sends a request and waits for the answer that ends it. An error, or the end of the process, is a UserError. */
function exchange(
  child: ChildProcess,
  request: ChatRequest,
  isLast: (answer: ChatAnswer) => boolean,
): Promise<ChatAnswer> {
  return new Promise((resolve, reject) => {
    let complaints = '';
    const onComplaint = (text: Buffer): void => {
      complaints = (complaints + text.toString()).slice(-2000);
    };
    const settle = (): void => {
      child.off('message', onMessage).off('close', onClose);
      child.stderr?.off('data', onComplaint);
    };
    const onMessage = (answer: ChatAnswer): void => {
      if (answer.type === 'error') {
        settle();
        const { message, help } = answer;
        reject(new UserError({ code: 'chat', message, ...(help === undefined ? {} : { help }) }));
      } else if (isLast(answer)) {
        settle();
        resolve(answer);
      }
    };
    const onClose = (code: number | null, signal: string | null): void => {
      settle();
      const how = signal === null ? `with exit code ${code}` : `by ${signal}, perhaps for want of memory`;
      const message = `the process of the model was ended ${how}${complaints && `: ${complaints.trim()}`}`;
      reject(new UserError({ code: 'chat', message }));
    };
    child.on('message', onMessage).once('close', onClose);
    child.stderr?.on('data', onComplaint);
    child.send(request, (error) => {
      if (error !== null) onClose(child.exitCode, child.signalCode);
    });
  });
}
