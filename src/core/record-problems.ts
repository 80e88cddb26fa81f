import { type FaultyRecord, UserError } from './user-error.ts';

/** The mistakes in a stage's records, reported together. */
export class RecordProblems {
  readonly #what: string;
  readonly #port: string | undefined;
  readonly #records: FaultyRecord[] = [];
  #first: UserError | undefined;
  #seen = 0;

  /** `what` continues "3 of 100 records ..."; `port` is their input port, if not the stage's `recordsPort`. */
  constructor(what: string, port?: string) {
    this.#what = what;
    this.#port = port;
  }

  /** The result of `attempt`, or undefined where it throws a UserError, which is kept for the report. */
  collect<Result>(record: Pick<FaultyRecord, 'id' | 'place'>, attempt: () => Result): Result | undefined {
    this.#seen += 1;
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#first ??= error;
      const { id, place } = record;
      this.#records.push({
        ...(id === undefined ? {} : { id }),
        problem: error.message,
        ...(place === undefined ? {} : { place }),
      });
      return undefined;
    }
  }

  throwIfAny(): void {
    if (this.#first === undefined) return;
    const { code, help } = this.#first;
    throw new UserError({
      code,
      message: `${this.#records.length} of ${this.#seen} records ${this.#what}`,
      ...(help === undefined ? {} : { help }),
      records: this.#records,
      ...(this.#port === undefined ? {} : { port: this.#port }),
    });
  }
}

const shown = 10;

/** The ids of the first records and the number of the others: `a, b and 3 more`. */
export function nameRecords(records: readonly { readonly id: string }[]): string {
  const names = records.slice(0, shown).map(({ id }) => id);
  return names.join(', ') + (records.length > shown ? ` and ${records.length - shown} more` : '');
}
