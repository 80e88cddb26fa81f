import type { LanguageModel } from '../language-model.ts';
import { type ReadPrompt, readPrompts } from './read-prompts.ts';

export interface PromptQueueOptions<Row> {
  readonly model: LanguageModel;
  readonly rows: readonly Row[];
  /** How many rows are written at a time. */
  readonly width: number;
  /** The padded length of a prompt of so many tokens. */
  readonly paddedLength: (tokens: number) => number;
}

/** So many tokens are enough for a pass to keep the processors busy. */
const tokensAtOnce = 256;

/**
 * Rows that wait to be written, with their prompts read. Prompts of one padded length are read together, some ahead of
 * their turn; how many rows a pass has follows from that length and the width alone, so that no row depends on another.
 */
export class PromptQueue<Row extends { readonly prompt: Int32Array }> {
  readonly #options: PromptQueueOptions<Row>;
  #waiting: readonly Row[];
  readonly #read: { readonly row: Row; readonly prompt: ReadPrompt }[] = [];

  constructor(options: PromptQueueOptions<Row>) {
    this.#options = options;
    this.#waiting = options.rows;
  }

  /** The next row; undefined where none is left. */
  async next(): Promise<{ readonly row: Row; readonly prompt: ReadPrompt } | undefined> {
    if (this.#read.length === 0) await this.#readSome();
    return this.#read.shift();
  }

  async #readSome(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { model, width, paddedLength } = this.#options;
    const length = paddedLength(first.prompt.length);
    const batch = Math.max(1, Math.min(width, Math.floor(tokensAtOnce / length)));
    const rows = this.#waiting.filter(({ prompt }) => paddedLength(prompt.length) === length).slice(0, batch);
    const taken = new Set(rows);
    this.#waiting = this.#waiting.filter((row) => !taken.has(row));
    const prompts = await readPrompts({ model, prompts: rows.map(({ prompt }) => prompt), batch, length });
    for (const [index, row] of rows.entries()) {
      const prompt = prompts[index];
      if (prompt !== undefined) this.#read.push({ row, prompt });
    }
  }
}
