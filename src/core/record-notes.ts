import type { FaultyRecord } from './user-error.ts';

/** How many records a note names. */
const named = 3;

interface Noted {
  readonly ids: string[];
  count: number;
}

/** Facts about a stage's records that are no mistakes but may be unwelcome: each with a count and the first records. */
export class RecordNotes {
  readonly #noted = new Map<string, Noted>();

  /** Counts a fact once for each record, however often it is true of it. */
  add(id: string, facts: readonly string[]): void {
    for (const fact of new Set(facts)) {
      const noted = this.#noted.get(fact) ?? { ids: [], count: 0 };
      noted.count += 1;
      if (noted.ids.length < named) noted.ids.push(id);
      this.#noted.set(fact, noted);
    }
  }

  /** In the order in which they were first true: `3 of 10 records: ...`, with the first records. */
  messages(
    total: number,
  ): readonly { readonly message: string; readonly records: readonly FaultyRecord[] }[] {
    return [...this.#noted].map(([fact, { ids, count }]) => ({
      message: `${count} of ${total} records: ${fact}`,
      records: ids.map((id) => ({ id })),
    }));
  }
}
