import type { LanguageModel } from '../language-model.ts';
import { DecodeSteps } from './decode-steps.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { keyValueCache } from './open-key-value-cache.ts';
import { storePrompt } from './prefill.ts';
import type { PrefilledRow } from './prefill-queue.ts';
import { compareBits, isSameBits } from './same-bits.ts';

/** One text that is being generated. */
export interface DecodingRow {
  /** At least one token. */
  readonly prompt: Int32Array;
  /** Takes the logits [V] after the text so far, without keeping them, and returns the next token, or undefined if the text ends. */
  readonly next: (logits: Float32Array) => number | undefined;
}

/** A row with its last token, which is not in the cache yet, and that token's position in its text. */
interface ActiveRow<Row> {
  readonly row: Row;
  readonly token: number;
  readonly position: number;
}

/** What a batch's computation has as dimensions. */
interface BatchSizes {
  /** Rows in every step, B, whether there are as many or fewer. */
  readonly batchSize: number;
  /** The most tokens in a row, prompt included, S. */
  readonly slots: number;
}

/** Rows that are decoded together. They join and leave between steps, and none attends to another. */
export class DecodingBatch<Row extends DecodingRow> implements Disposable {
  readonly #model: LanguageModel;
  readonly #batchSize: number;
  readonly #cache: KeyValueCache;
  readonly #steps: DecodeSteps;
  readonly #active: (ActiveRow<Row> | undefined)[];

  constructor(model: LanguageModel, { batchSize, slots }: BatchSizes) {
    this.#model = model;
    this.#batchSize = batchSize;
    this.#cache = keyValueCache(model.config, { batch: batchSize, slots });
    this.#steps = new DecodeSteps(model, this.#cache);
    this.#active = new Array<ActiveRow<Row> | undefined>(batchSize).fill(undefined);
  }

  [Symbol.dispose](): void {
    this.#steps[Symbol.dispose]();
    this.#cache[Symbol.dispose]();
  }

  /** How many rows there are. */
  get size(): number {
    return this.#active.filter((one) => one !== undefined).length;
  }

  /** Takes in a row and its first token; false if that ends it. There has to be room. */
  add({ row, prompt }: PrefilledRow<Row>): boolean {
    const token = row.next(prompt.logits);
    if (token === undefined) return false;
    const index = this.#free();
    storePrompt(this.#cache, { prompt, row: index });
    this.#active[index] = { row, token, position: row.prompt.length };
    return true;
  }

  /** One more token for each row; returns the rows that end. */
  async step(): Promise<readonly Row[]> {
    const { logits, rows } = await this.#logits();
    const ended: Row[] = [];
    for (const [index, one] of this.#active.entries()) {
      if (one === undefined) continue;
      const token = one.row.next(rowOf(logits, index, rows));
      this.#active[index] = token === undefined ? undefined : { ...one, token, position: one.position + 1 };
      if (token === undefined) ended.push(one.row);
    }
    return ended;
  }

  /** The logits of a step that is as narrow as gives the bits of a full one. */
  async #logits(): Promise<{ readonly logits: Float32Array; readonly rows: number }> {
    const rows = await this.#narrow();
    const variant = `${rows} of ${this.#batchSize} rows` as const;
    const logits = await this.#decode(rows);
    if (rows === this.#batchSize || isSameBits(this.#model, variant)) return { logits, rows };
    const full = await this.#decode(this.#batchSize);
    const expected = full.subarray(0, logits.length);
    compareBits(this.#model, { variant, expected: [expected], found: [logits] });
    return { logits: full, rows: this.#batchSize };
  }

  #decode(rows: number): Promise<Float32Array> {
    const active = this.#active.slice(0, rows);
    return this.#steps.step({
      tokens: active.map((one) => one?.token ?? 0),
      positions: active.map((one) => one?.position ?? 0),
    });
  }

  /** Moves all rows into the first places of a narrower step, if there is one, and returns how many rows that step has. */
  async #narrow(): Promise<number> {
    const rows = stepRows(this.#batchSize).find(
      (rows) => rows >= this.size && isSameBits(this.#model, `${rows} of ${this.#batchSize} rows`) !== false,
    );
    if (rows === undefined) return this.#batchSize;
    for (const [index, one] of this.#active.entries())
      if (one !== undefined && index >= rows) await this.#move(index, this);
    return rows;
  }

  /** Moves the rows that fill their slots to the batch with more slots for N tokens, which has to have room. */
  async moveFullRows(widerBatch: (tokens: number) => DecodingBatch<Row>): Promise<void> {
    for (const [index, one] of this.#active.entries()) {
      if (one === undefined || one.position < this.#cache.slots) continue;
      await this.#move(index, widerBatch(one.position + 1));
    }
  }

  async #move(index: number, to: DecodingBatch<Row>): Promise<void> {
    const one = this.#active[index];
    if (one === undefined) return;
    const [row, tokens] = [to.#free(), one.position];
    for (let layer = 0; layer < this.#model.config.layers; layer++) {
      const stored = await this.#cache.read(layer, { row: index, tokens });
      to.#cache.store(layer, { ...stored, places: [{ row, slot: 0, tokens }] });
    }
    this.#active[index] = undefined;
    to.#active[row] = one;
  }

  #free(): number {
    const index = this.#active.indexOf(undefined);
    if (index < 0) throw new RangeError(`a batch of ${this.#batchSize} rows is full`);
    return index;
  }
}

function rowOf(logits: Float32Array, row: number, rows: number): Float32Array {
  const vocabulary = logits.length / rows;
  return logits.subarray(row * vocabulary, (row + 1) * vocabulary);
}

/** Steps of a batch may have an eighth of its rows, a quarter, a half or three quarters: each is checked once. */
const stepRows = (batchSize: number): readonly number[] =>
  [1 / 8, 1 / 4, 1 / 2, 3 / 4]
    .map((share) => Math.ceil(share * batchSize))
    .filter((rows) => rows < batchSize);
