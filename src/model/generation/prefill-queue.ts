import type { LanguageModel } from '../language-model.ts';
import { type PrefilledPrompt, prefill } from './prefill.ts';

/** A row whose prompt is prefilled. */
export interface PrefilledRow<Row> {
  readonly row: Row;
  readonly prompt: PrefilledPrompt;
}

/** A row before it is decoded. */
interface WaitingRow {
  /** At least one token. */
  readonly prompt: Int32Array;
}

interface Prefilling {
  readonly model: LanguageModel;
  /** The most rows in a pass. */
  readonly batchSize: number;
  /** The padded length of a prompt of N tokens. */
  readonly paddedLength: (tokens: number) => number;
}

/** Enough tokens in a forward pass to keep the processors busy. */
const tokensPerPrefill = 256;

/** Rows of every pass over prompts of a padded length: it follows from that length and the batch size alone. */
export const rowsPerPass = (length: number, batchSize: number): number =>
  Math.max(1, Math.min(batchSize, Math.floor(tokensPerPrefill / length)));

/**
 * Rows waiting to be generated, with their prompts prefilled. Prompts of one padded length are prefilled together, some
 * before their turn. The shape of a pass follows from that length and the batch size alone, so no row depends on another.
 */
export class PrefillQueue<Row extends WaitingRow> {
  readonly #options: Prefilling;
  #waiting: readonly Row[];
  readonly #prefilled: PrefilledRow<Row>[] = [];

  constructor(options: Prefilling, rows: readonly Row[] = []) {
    this.#options = options;
    this.#waiting = rows;
  }

  /** How many rows wait, prefilled or not. */
  get length(): number {
    return this.#waiting.length + this.#prefilled.length;
  }

  /** Whether the next row needs no pass. */
  get isPrefilled(): boolean {
    return this.#prefilled.length > 0;
  }

  add(row: Row): void {
    this.#waiting = [...this.#waiting, row];
  }

  /** Takes out a row whose prompt has not been prefilled; false if it is not there. */
  remove(row: Row): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one !== row);
    return this.#waiting.length < before;
  }

  /** The next row; undefined if none is left. */
  async next(): Promise<PrefilledRow<Row> | undefined> {
    if (this.#prefilled.length === 0) await this.#prefillSome();
    return this.#prefilled.shift();
  }

  async #prefillSome(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { model, batchSize, paddedLength } = this.#options;
    const length = paddedLength(first.prompt.length);
    const batch = rowsPerPass(length, batchSize);
    const rows = this.#waiting.filter(({ prompt }) => paddedLength(prompt.length) === length).slice(0, batch);
    const taken = new Set(rows);
    this.#waiting = this.#waiting.filter((row) => !taken.has(row));
    const prompts = await prefill({ model, prompts: rows.map(({ prompt }) => prompt), batch, length });
    for (const [index, row] of rows.entries()) {
      const prompt = prompts[index];
      if (prompt !== undefined) this.#prefilled.push({ row, prompt });
    }
  }
}
