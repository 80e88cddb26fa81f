import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { cachedAttention } from '../../tensor/index.ts';
import type { Projected } from '../forward-pass.ts';
import type { LanguageModel } from '../language-model.ts';
import { KeyValueCache } from './key-value-cache.ts';
import { type PassInput, type ReadPrompt, readPass, readPrompts } from './prefill.ts';

/** One text that is being written. */
export interface DecodingRow {
  /** At least one token. */
  readonly prompt: Int32Array;
  /** Takes the logits [V] after the text so far and gives the next token, or undefined where the text ends. */
  readonly next: (logits: Float32Array) => number | undefined;
}

interface Decoding<Row extends DecodingRow> {
  readonly model: LanguageModel;
  readonly rows: readonly Row[];
  /** How many rows are written at a time, B: always the same, since it is a dimension of the computation. */
  readonly width: number;
  /** The padded length of a prompt of so many tokens. */
  readonly paddedLength: (tokens: number) => number;
  /** The most tokens that a row may have, its prompt included. */
  readonly slots: number;
  readonly signal: AbortSignal;
}

/** A row at work: the token that it wrote last, and that token's place in its text. */
interface Active<Row> {
  readonly row: Row;
  readonly token: number;
  readonly position: number;
}

/**
 * Writes rows, so many at a time, and yields each when it has ended; the next waiting one then takes its place. The shapes
 * of every pass follow from the settings and a row's own length, so that no row's logits depend on another's.
 */
export async function* decodeRows<Row extends DecodingRow>(decoding: Decoding<Row>): AsyncGenerator<Row> {
  const { model, width, slots, signal } = decoding;
  const cache = new KeyValueCache(model.config, { batch: width, slots });
  const waiting = new PromptQueue(decoding);
  const places = new Array<Active<Row> | undefined>(width).fill(undefined);
  for (;;) {
    for (const place of places.keys()) yield* fillPlace({ signal, cache, waiting, places, place });
    if (places.every((active) => active === undefined)) return;
    await turn(signal);
    const logits = await readTokens({
      model,
      cache,
      tokens: Int32Array.from(places, (active) => active?.token ?? 0),
      positions: Int32Array.from(places, (active) => active?.position ?? 0),
    });
    for (const [place, active] of places.entries()) {
      if (active === undefined) continue;
      const { row, position } = active;
      const token = row.next(rowOf(logits, place, width));
      places[place] = token === undefined ? undefined : { row, token, position: position + 1 };
      if (token === undefined) yield row;
    }
  }
}

interface Filling<Row extends DecodingRow> {
  readonly signal: AbortSignal;
  readonly cache: KeyValueCache;
  readonly waiting: PromptQueue<Row>;
  readonly places: (Active<Row> | undefined)[];
  readonly place: number;
}

/** Gives a free place to the next waiting row; one that writes nothing is yielded at once. */
async function* fillPlace<Row extends DecodingRow>(filling: Filling<Row>): AsyncGenerator<Row> {
  const { cache, waiting, places, place, signal } = filling;
  while (places[place] === undefined) {
    await turn(signal);
    const next = await waiting.next();
    if (next === undefined) return;
    const { row, prompt } = next;
    const token = row.next(prompt.logits);
    if (token === undefined) yield row;
    else {
      for (const { layer, keys, values } of prompt.layers)
        cache.store(layer, { keys, values, places: [{ row: place, slot: 0 }] });
      places[place] = { row, token, position: row.prompt.length };
    }
  }
}

/** Lets an abort arrive. */
async function turn(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

function rowOf(logits: Float32Array, row: number, rows: number): Float32Array {
  const vocabulary = logits.length / rows;
  return logits.subarray(row * vocabulary, (row + 1) * vocabulary);
}

interface TokensToRead {
  readonly model: LanguageModel;
  readonly cache: KeyValueCache;
  /** One for each row, B. */
  readonly tokens: Int32Array;
  /** The tokens' places in their texts, B. */
  readonly positions: Int32Array;
}

/** One pass over one new token a row: adds them to the cache and returns the logits after them, [B V]. */
export async function readTokens({ model, cache, tokens, positions }: TokensToRead): Promise<Float32Array> {
  const pass = (): PassInput => {
    const lengths = tf.tensor1d(positions, 'int32');
    const attend = ({ layer, ...projected }: Projected) =>
      cachedAttention({
        ...projected,
        ...cache.tensors(layer),
        lengths,
        window: model.config.slidingWindow,
      });
    const textLengths = positions.map((position) => position + 1);
    return { ids: tf.tensor1d(tokens, 'int32'), positions, textLengths, attend };
  };
  const { logits, fresh } = await readPass(model, pass);
  const places = Array.from(positions, (slot, row) => ({ row, slot }));
  for (const { layer, keys, values } of fresh) cache.store(layer, { keys, values, places });
  return logits;
}

interface PromptQueueOptions<Row> {
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
class PromptQueue<Row extends { readonly prompt: Int32Array }> {
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
