/** The exit codes of the process. */
export const exitCode = {
  success: 0,
  stageFailed: 1,
  /** A command line or a pipeline that cannot be understood. */
  badUsage: 2,
  /** `plan --check`: something would run. */
  outOfDate: 3,
  /** The store or the lock is damaged, or a result differs from it. */
  integrity: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** A command line that cannot be carried out: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly help: string | undefined;

  constructor({ message, help }: { message: string; help?: string | undefined }) {
    super(message);
    this.help = help;
  }
}
