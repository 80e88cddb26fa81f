import type { Context } from 'hono';
import { type Answers, restarting } from './answer-events.ts';
import { ApiError } from './api-error.ts';
import type { RequestLine } from './metrics.ts';

export interface ApiLimits {
  /** How many requests are answered or wait at a time. */
  readonly requests: number;
  /** How long one request may take, in seconds. */
  readonly seconds: number;
  /** The most bytes of a request. */
  readonly bytes: number;
}

interface OpenRequestsOptions {
  readonly limits: ApiLimits;
  /** Whether the model is loaded. */
  readonly isReady: () => boolean;
  readonly onEnded: (line: RequestLine) => void;
}

/** The requests that are being answered. */
export class OpenRequests {
  readonly #options: OpenRequestsOptions;
  readonly #open = new Set<OpenRequest>();
  #isStopping = false;
  #onIdle: () => void = () => {};

  constructor(options: OpenRequestsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Takes in a request. Throws an ApiError if there is no room for it. */
  begin(context: Context): OpenRequest {
    const { limits, isReady, onEnded } = this.#options;
    if (this.#isStopping)
      throw new ApiError({ status: 503, message: 'the server is stopping', code: 'stopping', retryAfter: 5 });
    if (!isReady()) throw restarting();
    if (this.#open.size >= limits.requests)
      throw new ApiError({
        status: 429,
        message: `${limits.requests} requests are being answered or wait; try again later`,
        code: 'queue_full',
        retryAfter: 1,
      });
    const request: OpenRequest = new OpenRequest(context, {
      seconds: limits.seconds,
      onEnded: (line) => {
        this.#open.delete(request);
        onEnded(line);
        if (this.#open.size === 0) this.#onIdle();
      },
    });
    this.#open.add(request);
    return request;
  }

  /** Refuses new requests, and waits until those that are being answered have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }
}

/** What others write for a request whose client left before its answer. */
const leftStatus = 499;

export class ClientLeft extends Error {}

/** A request while it is answered. */
export class OpenRequest {
  readonly #context: Context;
  readonly #onEnded: (line: RequestLine) => void;
  readonly #begun = performance.now();
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #promptTokens = 0;
  #completionTokens = 0;
  #isEnded = false;
  /** Of the body, once it is read. */
  stream = false;
  user: string | undefined;

  constructor(
    context: Context,
    { seconds, onEnded }: { readonly seconds: number; readonly onEnded: (line: RequestLine) => void },
  ) {
    this.#context = context;
    this.#onEnded = onEnded;
    const late = new ApiError({ status: 504, message: `no answer within ${seconds} s`, code: 'timeout' });
    this.#timer = setTimeout(() => this.#stopped.abort(late), seconds * 1000);
    context.req.raw.signal.addEventListener('abort', this.leave);
  }

  /** Aborted when nobody waits for the answer any longer. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /** The client is gone. */
  readonly leave = (): void => this.#stopped.abort(new ClientLeft());

  /** The same answers, with their tokens counted as they come. */
  counting({ promptTokens, pieces }: Answers): Answers {
    this.#promptTokens = promptTokens;
    const add = (tokens: number): void => {
      this.#completionTokens += tokens;
    };
    return {
      promptTokens,
      pieces: (async function* () {
        for await (const piece of pieces) {
          add(piece.ended?.tokens ?? 0);
          yield piece;
        }
      })(),
    };
  }

  /** Ends it with a status, once. */
  end(status: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    const { method, path } = this.#context.req;
    const isGone = this.signal.reason instanceof ClientLeft;
    this.#onEnded({
      ...{ method, path, status: isGone ? leftStatus : status, stream: this.stream },
      ...{ promptTokens: this.#promptTokens, completionTokens: this.#completionTokens },
      milliseconds: Math.round(performance.now() - this.#begun),
      ...(this.user !== undefined && { user: this.user }),
    });
  }
}
