/** The HTTP statuses of errors, with OpenAI's type of each. */
const types = {
  400: 'invalid_request_error',
  401: 'invalid_request_error',
  403: 'invalid_request_error',
  404: 'invalid_request_error',
  405: 'invalid_request_error',
  413: 'invalid_request_error',
  415: 'invalid_request_error',
  421: 'invalid_request_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'service_unavailable_error',
  504: 'timeout_error',
} as const;

export type ErrorStatus = keyof typeof types;

interface ApiProblem {
  readonly status: ErrorStatus;
  readonly message: string;
  readonly code?: string;
  /** The field of the request at fault. */
  readonly param?: string | undefined;
  /** After how many seconds to try again. */
  readonly retryAfter?: number;
}

/** What a client is told in OpenAI's shape. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  readonly code: string | null;
  readonly param: string | null;
  readonly retryAfter: number | undefined;

  constructor({ status, message, code, param, retryAfter }: ApiProblem) {
    super(message);
    this.status = status;
    this.code = code ?? null;
    this.param = param ?? null;
    this.retryAfter = retryAfter;
  }

  get body(): { readonly error: Readonly<Record<'message' | 'type' | 'param' | 'code', string | null>> } {
    const { message, param, code } = this;
    return { error: { message, type: types[this.status], param, code } };
  }

  get headers(): Readonly<Record<string, string>> {
    return {
      ...(this.retryAfter !== undefined && { 'retry-after': `${this.retryAfter}` }),
      ...(this.status === 401 && { 'www-authenticate': 'Bearer' }),
    };
  }
}
