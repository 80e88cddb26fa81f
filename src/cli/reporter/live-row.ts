import { EventEmitter, once } from 'node:events';
import type { ListrTaskWrapper } from 'listr2';

/** One line of the live list: invisible until it has a title. It may be changed before the list is drawn. */
export class LiveRow {
  readonly #events = new EventEmitter();
  readonly #notes: string[] = [];
  #row: ListrRow | undefined;
  #title: string | undefined;
  #outcome: Outcome | undefined;

  /** The task that listr2 runs: it lasts until the row ends. */
  readonly task = async (_context: unknown, row: ListrRow): Promise<void> => {
    this.#row = row;
    if (this.#title !== undefined) row.title = this.#title;
    for (const note of this.#notes) row.output = note;
    if (this.#outcome === undefined) await once(this.#events, 'end');
    if (this.#outcome === 'skipped') row.skip(this.#title);
    if (this.#outcome === 'failed') throw new Error(this.#title);
  };

  show(title: string): void {
    this.#title = title;
    if (this.#row) this.#row.title = title;
  }

  note(text: string): void {
    if (this.#row) this.#row.output = text;
    else this.#notes.push(text);
  }

  end(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#events.emit('end');
  }
}

type ListrRow = Pick<ListrTaskWrapper<unknown, never, never>, 'title' | 'output' | 'skip'>;
export type Outcome = 'done' | 'failed' | 'skipped';

/** Of every list of rows. */
export const listOptions = {
  exitOnError: false,
  registerSignalListeners: false,
  rendererOptions: { formatOutput: 'truncate', collapseErrors: false, showErrorMessage: false },
} as const;

/** The width of the mark before a row, and of that before a note below it. */
export const MARK = 2;
export const NOTE_MARK = 4;
