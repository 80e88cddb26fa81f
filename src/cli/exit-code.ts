/** What the process says to its caller when it ends. */
export const exitCode = {
  success: 0,
  stageFailed: 1,
  /** A command line or a pipeline that cannot be understood. */
  badUsage: 2,
  /** `plan --check`: something would run. */
  outOfDate: 3,
  /** The store or the lock does not hold what it promises. */
  integrity: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** A command line that cannot be carried out; ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly help: string | undefined;

  constructor({ message, help }: { message: string; help?: string | undefined }) {
    super(message);
    this.help = help;
  }
}
