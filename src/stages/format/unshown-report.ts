import { type FaultyRecord, isObject, RecordNotes, UserError } from '../../core/index.ts';
import type { FormatConfig } from '../../generated/format-config.ts';
import { type DataRecord, datasetField, type Unshown } from '../../text/index.ts';

/** The fields that a perturbation adds to a row, which are for metrics. */
const addedFields = ['instance', 'perturbation'];

/** How many records a warning names. */
const named = 3;

/** Counts what rows say and their texts do not show, except what is meant to be so. */
export class UnshownReport {
  readonly #meant: ReadonlySet<string>;
  readonly #isError: boolean;
  readonly #notes = new RecordNotes();
  readonly #fields = new Map<string, number>();
  readonly #withFields: string[] = [];
  #fieldRecords = 0;

  constructor({ ignore, perturb, expect }: FormatConfig) {
    this.#meant = new Set([datasetField, ...ignore, ...(perturb === undefined ? [] : addedFields)]);
    this.#isError = expect.everything_shown;
  }

  /** Throws a UserError if everything has to be shown. */
  add(record: DataRecord, unshown: readonly Unshown[]): void {
    const lost = unshown.filter(({ name }) => !this.#meant.has(name));
    // A response brings the row of its prompt along.
    const fields = isObject(record.fields) ? [] : lost.filter(({ isField }) => isField);
    const others = lost.filter(({ isField }) => !isField);
    if (this.#isError && fields.length + others.length > 0) throw notShown([...fields, ...others]);
    this.#notes.add(
      record.id,
      others.map(({ name, problem }) => `${problem}; ${advice([name])}`),
    );
    if (fields.length === 0) return;
    this.#fieldRecords += 1;
    if (this.#withFields.length < named) this.#withFields.push(record.id);
    for (const { name } of fields) this.#fields.set(name, (this.#fields.get(name) ?? 0) + 1);
  }

  warnings(
    total: number,
  ): readonly { readonly message: string; readonly records: readonly FaultyRecord[] }[] {
    const notes = this.#notes.messages(total);
    if (this.#fieldRecords === 0) return notes;
    const counts = [...this.#fields].map(([name, count]) => `\`${name}\` (${count})`).join(', ');
    const what = `${this.#fieldRecords} of ${total} records have fields that the template does not use: ${counts}`;
    const message = `${what}; ${advice([...this.#fields.keys()])}`;
    return [{ message, records: this.#withFields.map((id) => ({ id })) }, ...notes];
  }
}

const advice = (names: readonly string[]): string =>
  `if that is meant, say \`ignore: [${names.join(', ')}]\``;

const notShown = (unshown: readonly Unshown[]): UserError =>
  new UserError({
    code: 'expectation-failed',
    message: [...new Set(unshown.map(({ problem }) => problem))].join('; '),
    help: 'choose a template that writes it, or name what is meant to be left out with `ignore`',
  });
