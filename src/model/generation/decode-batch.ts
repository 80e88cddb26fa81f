import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel } from '../language-model.ts';
import { paddedRows } from '../padded-rows.ts';
import { attendCache } from './attend-cache.ts';
import { KeyValueCache } from './key-value-cache.ts';
import { lengthBucket } from './length-bucket.ts';

/** One row of a batch that is being written. */
export interface DecodingRow {
  /** At least one token. */
  readonly prompt: Int32Array;
  /** Takes the logits [V] after the text so far and gives the next token, or undefined where the text ends. */
  readonly next: (logits: Float32Array) => number | undefined;
}

export interface DecodingBatch {
  readonly model: LanguageModel;
  readonly rows: readonly DecodingRow[];
  /** The padded length of the prompts. */
  readonly length: number;
  readonly signal: AbortSignal;
}

/** Cache slots are added so many at a time. */
const slotStep = 64;

/** Writes all rows of a batch, a token each at a time, until every row has ended. Rows that end early stand idle. */
export async function decodeBatch({ model, rows, length, signal }: DecodingBatch): Promise<void> {
  const { config } = model;
  const { layers, keyValueHeads: heads, headWidth, contextLength: limit } = config;
  const cache = new KeyValueCache({ batch: rows.length, layers, heads, headWidth });
  const ended = new Set<DecodingRow>();
  let logits = await readPrompts({ model, rows, length, cache });
  for (let step = 0; ; step++) {
    const tokens = rows.map((row, index) => {
      if (ended.has(row)) return 0;
      const token = row.next(rowOf(logits, index, rows.length));
      if (token === undefined) ended.add(row);
      return token ?? 0;
    });
    if (ended.size === rows.length) return;
    await setImmediate(); // lets an abort arrive
    signal.throwIfAborted();
    cache.reserve(lengthBucket(length + step + 1, { step: slotStep, limit }));
    const positions = Int32Array.from(rows, ({ prompt }) => prompt.length + step);
    logits = await readTokens({ model, cache, tokens: Int32Array.from(tokens), positions });
  }
}

interface Prompts extends Omit<DecodingBatch, 'signal'> {
  readonly cache: KeyValueCache;
}

/** One pass over all prompts: fills the cache and returns the logits after each prompt, [B, V]. */
async function readPrompts({ model, rows, length, cache }: Prompts): Promise<Float32Array> {
  const ids = new Int32Array(rows.length * length);
  for (const [row, { prompt }] of rows.entries()) ids.set(prompt, row * length);
  const lastTokens = Int32Array.from(rows, ({ prompt }, row) => row * length + prompt.length - 1);
  const fresh: tf.Tensor[] = [];
  const outputs = tf.tidy(() => {
    const tokens = paddedRows(model.config, { ids, batch: rows.length, length });
    const hidden = model.hidden({
      ...tokens,
      attend: (projected) => {
        fresh.push(projected.key, projected.value);
        return tokens.attend(projected);
      },
    });
    return [model.logits(tf.gather(hidden, tf.tensor1d(lastTokens, 'int32'))), ...fresh];
  });
  cache.reserve(length);
  return readOutputs({ outputs, cache, starts: new Int32Array(rows.length) });
}

interface NewTokens {
  readonly model: LanguageModel;
  readonly cache: KeyValueCache;
  /** One for each row. */
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
}

/** One pass over one new token a row: adds them to the cache and returns the logits after them, [B, V]. */
async function readTokens({ model, cache, tokens, positions }: NewTokens): Promise<Float32Array> {
  const fresh: tf.Tensor[] = [];
  const outputs = tf.tidy(() => {
    const mask = cache.mask(positions);
    const hidden = model.hidden({
      ids: tf.tensor1d(tokens, 'int32'),
      positions: tf.tensor1d(positions, 'int32'),
      attend: (projected) => {
        fresh.push(projected.key, projected.value);
        return attendCache({ sizes: model.config, projected, ...cache.tensors(projected.layer), mask });
      },
    });
    return [model.logits(hidden), ...fresh];
  });
  return readOutputs({ outputs, cache, starts: positions });
}

interface PassOutputs {
  /** The logits, then keys and values of each layer. */
  readonly outputs: readonly tf.Tensor[];
  readonly cache: KeyValueCache;
  readonly starts: Int32Array;
}

async function readOutputs({ outputs, cache, starts }: PassOutputs): Promise<Float32Array> {
  const [logits = new Float32Array(), ...fresh] = await Promise.all(
    outputs.map((tensor) => tensor.data<'float32'>()),
  );
  tf.dispose([...outputs]);
  for (let layer = 0; layer < fresh.length / 2; layer++) {
    const [keys, values] = fresh.slice(2 * layer, 2 * layer + 2);
    if (keys && values) cache.store(layer, { keys, values }, starts);
  }
  return logits;
}

function rowOf(logits: Float32Array, row: number, rows: number): Float32Array {
  const vocabulary = logits.length / rows;
  return logits.subarray(row * vocabulary, (row + 1) * vocabulary);
}
