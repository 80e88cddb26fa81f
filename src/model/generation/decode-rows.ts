import { setImmediate } from 'node:timers/promises';
import type { LanguageModel } from '../language-model.ts';
import { KeyValueCache } from './key-value-cache.ts';
import { PromptQueue } from './prompt-queue.ts';
import { readTokens } from './read-tokens.ts';

/** One text that is being written. */
export interface DecodingRow {
  /** At least one token. */
  readonly prompt: Int32Array;
  /** Takes the logits [V] after the text so far and gives the next token, or undefined where the text ends. */
  readonly next: (logits: Float32Array) => number | undefined;
}

export interface Decoding<Row extends DecodingRow> {
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
