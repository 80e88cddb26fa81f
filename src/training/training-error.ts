/** A training that cannot go on, or cannot begin, for a reason that the user can mend. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError';
  /** For example `loss-not-finite`. */
  readonly code: string;
  readonly help: string | undefined;

  constructor(problem: { code: string; message: string; help?: string; cause?: unknown }) {
    super(problem.message, { cause: problem.cause });
    this.code = problem.code;
    this.help = problem.help;
  }
}
