import { UserError } from '../user-error.ts';

const shown = 10;

/** The mistakes of a stage's records, reported all at once: the first ten by name, the others by number. */
export class RecordProblems {
  readonly #what: string;
  readonly #lines: string[] = [];
  #first: UserError | undefined;
  #seen = 0;
  #broken = 0;

  /** `what` continues "3 of 100 records ...". */
  constructor(what: string) {
    this.#what = what;
  }

  /** `where` names the record: `id a1`, `line 7`. The result of `attempt`, or undefined where it threw a UserError, which is kept for the report. */
  collect<Result>(where: string, attempt: () => Result): Result | undefined {
    this.#seen += 1;
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.add(where, error);
      return undefined;
    }
  }

  /** Adds a mistake of the record that `collect` saw last. */
  add(where: string, problem: UserError): void {
    this.#broken += 1;
    this.#first ??= problem;
    if (this.#broken <= shown) this.#lines.push(`  record ${this.#seen} (${where}): ${problem.message}`);
  }

  throwIfAny(): void {
    if (this.#first === undefined) return;
    const { code, help } = this.#first;
    const more = this.#broken > shown ? [`  and ${this.#broken - shown} more`] : [];
    const heading = `${this.#broken} of ${this.#seen} records ${this.#what}:`;
    throw new UserError({
      code,
      message: [heading, ...this.#lines, ...more].join('\n'),
      ...(help === undefined ? {} : { help }),
    });
  }
}
