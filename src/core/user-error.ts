/** A failure that the user can fix: bad data, a model that does not fit. Shown without a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** Stable and greppable, for example `missing-field`. */
  readonly code: string;
  readonly help: string | undefined;
  /** The records at fault; empty where the error is not about particular records. */
  readonly records: readonly FaultyRecord[];
  /** Their input port, if not the one whose records the stage passes on. */
  readonly port: string | undefined;

  constructor(problem: UserProblem) {
    super(problem.message, { cause: problem.cause });
    this.code = problem.code;
    this.help = problem.help;
    this.records = problem.records ?? [];
    this.port = problem.port;
  }

  withMessage(message: string): UserError {
    const { code, help, records, port } = this;
    return new UserError({
      code,
      message,
      records,
      cause: this,
      ...(help === undefined ? {} : { help }),
      ...(port === undefined ? {} : { port }),
    });
  }
}

interface UserProblem {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  readonly cause?: unknown;
  readonly records?: readonly FaultyRecord[];
  readonly port?: string;
}

/** A record that an error is about. */
export interface FaultyRecord {
  /** Absent where the record has none yet. */
  readonly id?: string;
  /** What is wrong with it, where the error's message does not say. */
  readonly problem?: string;
  readonly place?: RecordPlace;
}

/** Where a record begins in the user's data. Lines count from 1. */
export interface RecordPlace {
  readonly path: string;
  readonly line: number;
}
