/** A failure that the user can mend: bad data, a model that does not fit. Shown without a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** Stable and greppable, for example `missing-field`. */
  readonly code: string;
  readonly help: string | undefined;

  constructor(problem: { code: string; message: string; help?: string; cause?: unknown }) {
    super(problem.message, { cause: problem.cause });
    this.code = problem.code;
    this.help = problem.help;
  }
}
