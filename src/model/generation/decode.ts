import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { cachedAttention } from '../../tensor/index.ts';
import type { Projected } from '../forward-pass.ts';
import type { LanguageModel } from '../language-model.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { keyValueCache } from './open-key-value-cache.ts';
import { type ForwardInput, forward, type PrefilledPrompt, prefill } from './prefill.ts';

/** One text that is being generated. */
export interface DecodingRow {
  /** At least one token. */
  readonly prompt: Int32Array;
  /** Takes the logits [V] after the text so far and returns the next token, or undefined if the text ends. */
  readonly next: (logits: Float32Array) => number | undefined;
}

interface Decoding<Row extends DecodingRow> {
  readonly model: LanguageModel;
  readonly rows: readonly Row[];
  /** Rows in every decode step, B: constant, since it is a dimension of the computation. */
  readonly batchSize: number;
  /** The padded length of a prompt of N tokens. */
  readonly paddedLength: (tokens: number) => number;
  /** The most tokens in a row, including its prompt. */
  readonly slots: number;
  readonly signal: AbortSignal;
}

/** A row with its last token, which is not in the cache yet, and that token's position in its text. */
interface ActiveRow<Row> {
  readonly row: Row;
  readonly token: number;
  readonly position: number;
}

/**
 * Generates rows, `batchSize` at a time, and yields each when it ends; the next waiting row then takes its place
 * (continuous batching). All shapes follow from the settings and a row's own length, so no row's logits depend on
 * another row.
 */
export async function* decodeRows<Row extends DecodingRow>(decoding: Decoding<Row>): AsyncGenerator<Row> {
  const { model, batchSize, slots, signal } = decoding;
  using cache = keyValueCache(model.config, { batch: batchSize, slots });
  const waiting = new PrefillQueue(decoding);
  const active = new Array<ActiveRow<Row> | undefined>(batchSize).fill(undefined);
  for (;;) {
    for (const index of active.keys())
      while (active[index] === undefined) {
        await yieldToEventLoop();
        signal.throwIfAborted();
        const next = await waiting.next();
        if (next === undefined) break;
        const { row, prompt } = next;
        const token = row.next(prompt.logits);
        if (token === undefined) {
          yield row;
          continue;
        }
        for (const { layer, keys, values } of prompt.layers)
          cache.store(layer, { keys, values, places: [{ row: index, slot: 0 }] });
        active[index] = { row, token, position: row.prompt.length };
      }
    if (active.every((one) => one === undefined)) return;
    await yieldToEventLoop();
    signal.throwIfAborted();
    const logits = await decodeStep({
      model,
      cache,
      tokens: Int32Array.from(active, (one) => one?.token ?? 0),
      positions: Int32Array.from(active, (one) => one?.position ?? 0),
    });
    for (const [index, one] of active.entries()) {
      if (one === undefined) continue;
      const token = one.row.next(rowOf(logits, index, batchSize));
      active[index] = token === undefined ? undefined : { ...one, token, position: one.position + 1 };
      if (token === undefined) yield one.row;
    }
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

/** Enough tokens in a forward pass to keep the processors busy. */
const tokensPerPrefill = 256;

/**
 * Rows waiting to be generated, with their prompts prefilled. Prompts of one padded length are prefilled together, some
 * before their turn. The rows in a pass follow from that length and the batch size alone, so no row depends on another.
 */
class PrefillQueue<Row extends DecodingRow> {
  readonly #options: Decoding<Row>;
  #waiting: readonly Row[];
  readonly #prefilled: { readonly row: Row; readonly prompt: PrefilledPrompt }[] = [];

  constructor(options: Decoding<Row>) {
    this.#options = options;
    this.#waiting = options.rows;
  }

  /** The next row; undefined if none is left. */
  async next(): Promise<{ readonly row: Row; readonly prompt: PrefilledPrompt } | undefined> {
    if (this.#prefilled.length === 0) await this.#prefillSome();
    return this.#prefilled.shift();
  }

  async #prefillSome(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { model, batchSize, paddedLength } = this.#options;
    const length = paddedLength(first.prompt.length);
    const batch = Math.max(1, Math.min(batchSize, Math.floor(tokensPerPrefill / length)));
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
