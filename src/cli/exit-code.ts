import type { Diagnostic } from '../runtime/index.ts';

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
  /** Ended by a signal: 128 and its number. SIGINT is Ctrl-C, SIGHUP a terminal that was closed. */
  hungUp: 129,
  interrupted: 130,
  quit: 131,
  terminated: 143,
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

/** Mistakes in the settings files. */
export class SettingsMistakes extends Error {
  override readonly name = 'SettingsMistakes';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super('the settings have mistakes');
    this.diagnostics = diagnostics;
  }
}
