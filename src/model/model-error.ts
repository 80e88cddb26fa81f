/** A model, or a tensor file, that cannot be used as it is; the message names the file and the value. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  /** For example `bad-safetensors`. */
  readonly code: string;
  readonly help: string | undefined;

  constructor(problem: { code: string; message: string; help?: string; cause?: unknown }) {
    super(problem.message, { cause: problem.cause });
    this.code = problem.code;
    this.help = problem.help;
  }
}
