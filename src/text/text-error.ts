/** A mistake in data, a template or a tokenizer that its author can mend. */
export class TextError extends Error {
  override readonly name = 'TextError';
  /** For example `bad-line`. */
  readonly code: string;
  readonly help: string | undefined;

  constructor(problem: { code: string; message: string; help?: string; cause?: unknown }) {
    super(problem.message, { cause: problem.cause });
    this.code = problem.code;
    this.help = problem.help;
  }
}
