/** A host's answer that is no success. What it said in words is left out: it could repeat what it was sent. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly status: number;
  /** The hub's own word for it, such as `GatedRepo`. */
  readonly reason: string | undefined;
  /** How long it asks to wait. */
  readonly retryAfterMilliseconds: number | undefined;

  constructor({ status, headers }: Pick<Response, 'status' | 'headers'>) {
    super(`status ${status}`);
    this.status = status;
    const reason = headers.get('x-error-code');
    this.reason = reason !== null && /^\w{1,40}$/.test(reason) ? reason : undefined;
    const seconds = Number(headers.get('retry-after') ?? Number.NaN);
    this.retryAfterMilliseconds = seconds >= 0 ? seconds * 1000 : undefined;
  }
}

/** No answer, or one that broke off. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure';
  /** Such as `ENOTFOUND`; empty where the system gave none. */
  readonly code: string;

  constructor(cause: unknown) {
    const { code, message } = innermost(cause);
    super(message, { cause });
    this.code = code;
  }
}

/** `fetch failed` says nothing: the cause does. */
function innermost(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  if (error.cause instanceof Error) return innermost(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { code, message: error.message || code };
}
