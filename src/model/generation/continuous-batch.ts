import type { LanguageModel } from '../language-model.ts';
import { DecodingBatch, type DecodingRow } from './decoding-batch.ts';
import { promptLength } from './lengths.ts';
import { PrefillQueue } from './prefill-queue.ts';

/** The fewest slots of a batch. */
const fewestSlots = 256;

interface BatchOptions {
  readonly model: LanguageModel;
  /** The most rows at a time, and the rows of every step. */
  readonly batchSize: number;
  /** The most tokens of a text, prompt included. */
  readonly longest: number;
}

/**
 * Generates texts that come at any time: a row joins when there is room and leaves when it ends. Rows are decoded with
 * others of their size: 256 slots, then 512, 1024 and so on, and a row that fills its slots moves up. So memory follows
 * what is written, and every shape follows from a row's own length: no row's logits depend on which others are there.
 */
export class ContinuousBatch<Row extends DecodingRow> implements Disposable {
  readonly #options: BatchOptions;
  readonly #queue: PrefillQueue<Row>;
  readonly #batches = new Map<number, DecodingBatch<Row>>();

  constructor(options: BatchOptions) {
    const { model, batchSize } = options;
    this.#options = options;
    const paddedLength = (tokens: number) => promptLength(tokens, model.config.contextLength);
    this.#queue = new PrefillQueue<Row>({ model, batchSize, paddedLength });
  }

  [Symbol.dispose](): void {
    for (const batch of this.#batches.values()) batch[Symbol.dispose]();
  }

  /** How many rows are being written. */
  get active(): number {
    return [...this.#batches.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** How many rows wait for their turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  add(row: Row): void {
    this.#queue.add(row);
  }

  /** Takes out a row that nothing has been computed for; false if it has begun. */
  remove(row: Row): boolean {
    return this.#queue.remove(row);
  }

  /** Prefills once if rows wait and there is room, then writes a token for every row. Returns the rows that ended. */
  async step(): Promise<readonly Row[]> {
    const ended: Row[] = [];
    let mayPrefill = true;
    while (this.active < this.#options.batchSize && (mayPrefill || this.#queue.isPrefilled)) {
      mayPrefill = false;
      const next = await this.#queue.next();
      if (next === undefined) break;
      if (!this.#batchFor(next.row.prompt.length + 1).add(next)) ended.push(next.row);
    }
    for (const batch of [...this.#batches.values()])
      await batch.moveFullRows((tokens) => this.#batchFor(tokens));
    for (const [slots, batch] of this.#batches) {
      if (batch.size > 0) ended.push(...(await batch.step()));
      if (batch.size > 0) continue;
      batch[Symbol.dispose]();
      this.#batches.delete(slots);
    }
    return ended;
  }

  #batchFor(tokens: number): DecodingBatch<Row> {
    const { model, batchSize, longest } = this.#options;
    let slots = fewestSlots;
    while (slots < tokens) slots *= 2;
    slots = Math.min(slots, longest);
    const batch = this.#batches.get(slots) ?? new DecodingBatch<Row>(model, { batchSize, slots });
    this.#batches.set(slots, batch);
    return batch;
  }
}
