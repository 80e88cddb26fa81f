import { EventEmitter, once } from 'node:events';
import type { ListrTaskWrapper } from 'listr2';

type ListrRow = Pick<ListrTaskWrapper<unknown, never, never>, 'title' | 'output' | 'skip'>;
type Outcome = 'done' | 'failed' | 'skipped';

/** One line of the live list. It stays invisible until it has a title, and takes orders before the list is drawn. */
export class LiveRow {
  readonly #orders = new EventEmitter();
  readonly #notes: string[] = [];
  #row: ListrRow | undefined;
  #title: string | undefined;
  #outcome: Outcome | undefined;

  /** The task that listr2 runs: it lasts until the row ends. */
  readonly task = async (_context: unknown, row: ListrRow): Promise<void> => {
    this.#row = row;
    if (this.#title !== undefined) row.title = this.#title;
    for (const note of this.#notes) row.output = note;
    if (this.#outcome === undefined) await once(this.#orders, 'end');
    if (this.#outcome === 'skipped') row.skip(this.#title);
    if (this.#outcome === 'failed') throw new Error(this.#title);
  };

  show(title: string): void {
    this.#title = title;
    if (this.#row) this.#row.title = title;
  }

  note(text: string): void {
    this.#notes.push(text);
    if (this.#row) this.#row.output = text;
  }

  end(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#orders.emit('end');
  }
}
