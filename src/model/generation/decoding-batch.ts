import * as tf from '@tensorflow/tfjs-core';
import { cachedAttention } from '../../tensor/index.ts';
import type { Projected } from '../forward-pass.ts';
import type { LanguageModel } from '../language-model.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { keyValueCache } from './open-key-value-cache.ts';
import { type ForwardInput, forward } from './prefill.ts';
import type { PrefilledRow } from './prefill-queue.ts';

/** One text that is being generated. */
export interface DecodingRow {
  /** At least one token. */
  readonly prompt: Int32Array;
  /** Takes the logits [V] after the text so far and returns the next token, or undefined if the text ends. */
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
  readonly #active: (ActiveRow<Row> | undefined)[];

  constructor(model: LanguageModel, { batchSize, slots }: BatchSizes) {
    this.#model = model;
    this.#batchSize = batchSize;
    this.#cache = keyValueCache(model.config, { batch: batchSize, slots });
    this.#active = new Array<ActiveRow<Row> | undefined>(batchSize).fill(undefined);
  }

  [Symbol.dispose](): void {
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
    for (const { layer, keys, values } of prompt.layers)
      this.#cache.store(layer, { keys, values, places: [{ row: index, slot: 0 }] });
    this.#active[index] = { row, token, position: row.prompt.length };
    return true;
  }

  /** One more token for each row; returns the rows that end. */
  async step(): Promise<readonly Row[]> {
    const active = this.#active;
    const logits = await decodeStep({
      model: this.#model,
      cache: this.#cache,
      tokens: Int32Array.from(active, (one) => one?.token ?? 0),
      positions: Int32Array.from(active, (one) => one?.position ?? 0),
    });
    const ended: Row[] = [];
    for (const [index, one] of active.entries()) {
      if (one === undefined) continue;
      const token = one.row.next(rowOf(logits, index, this.#batchSize));
      active[index] = token === undefined ? undefined : { ...one, token, position: one.position + 1 };
      if (token === undefined) ended.push(one.row);
    }
    return ended;
  }

  /** Moves the rows that fill their slots to the batch with more slots for N tokens, which has to have room. */
  async moveFullRows(widerBatch: (tokens: number) => DecodingBatch<Row>): Promise<void> {
    for (const [index, one] of this.#active.entries()) {
      if (one === undefined || one.position < this.#cache.slots) continue;
      const wider = widerBatch(one.position + 1);
      const place = { row: wider.#free(), slot: 0 };
      for (let layer = 0; layer < this.#model.config.layers; layer++)
        wider.#cache.store(layer, {
          ...(await this.#cache.read(layer, { row: index, tokens: one.position })),
          places: [place],
        });
      wider.#active[place.row] = one;
      this.#active[index] = undefined;
    }
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

/** One forward pass over a new token per row: adds it to the cache and returns the logits after it, [B V]. */
export async function decodeStep({
  model,
  cache,
  tokens,
  positions,
}: {
  readonly model: LanguageModel;
  readonly cache: KeyValueCache;
  /** [B] */
  readonly tokens: Int32Array;
  /** [B]: the tokens' positions in their texts. */
  readonly positions: Int32Array;
}): Promise<Float32Array> {
  const { logits, fresh } = await forward(model, (): ForwardInput => {
    const lengths = tf.tensor1d(positions, 'int32');
    const { windows, scoreCap } = model.config;
    const attend = ({ layer, ...projected }: Projected) =>
      cachedAttention({ ...projected, ...cache.tensors(layer), lengths, window: windows[layer], scoreCap });
    const textLengths = positions.map((position) => position + 1);
    return { ids: tf.tensor1d(tokens, 'int32'), positions, textLengths, attend };
  });
  const places = Array.from(positions, (slot, row) => ({ row, slot }));
  for (const { layer, keys, values } of fresh) cache.store(layer, { keys, values, places });
  return logits;
}
