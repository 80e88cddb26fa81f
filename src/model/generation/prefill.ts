import * as tf from '@tensorflow/tfjs-core';
import { causalAttention, MASKED_SCORE } from '../../tensor/index.ts';
import { groupQueries, paddedRows, splitHeads, ungroupQueries } from '../attend-rows.ts';
import type { ModelSizes } from '../family.ts';
import type { Attend, Projected } from '../forward-pass.ts';
import type { LanguageModel, Tokens } from '../language-model.ts';
import type { ModelConfig } from '../model-config.ts';
import { masksByWindow } from '../windows.ts';
import { type ForwardInput, forward, type LayerKeyValues } from './forward.ts';
import type { KeyValueCache } from './key-value-cache.ts';

/** Keys and values of some consecutive tokens of a text, in every layer. */
export interface KeyValueSpan {
  /** The position of the first of them. */
  readonly from: number;
  readonly tokens: number;
  /** [K, T, D] each, of T tokens: these, and then padding. */
  readonly layers: readonly LayerKeyValues[];
}

export interface PrefilledPrompt {
  /** After its last token, [V]. */
  readonly logits: Float32Array;
  /** Those of all its tokens, in their order. */
  readonly spans: readonly KeyValueSpan[];
}

/** One forward pass over prompts, each in its own row. */
export async function prefill({
  model,
  prompts,
  batch,
  length,
  prefix,
  headRows = batch,
}: {
  readonly model: LanguageModel;
  /** At most B, of at most `length` tokens each. */
  readonly prompts: readonly Int32Array[];
  /** Rows of the pass, B: rows without a prompt are computed and discarded. */
  readonly batch: number;
  /** Prompts are padded to this length. */
  readonly length: number;
  /** What all of them begin with, already computed; each has more tokens. The pass is over these only, T of `length`. */
  readonly prefix?: KeyValueSpan | undefined;
  /** Logits are computed for this many rows at least. */
  readonly headRows?: number;
}): Promise<readonly PrefilledPrompt[]> {
  const from = prefix?.tokens ?? 0;
  const shape = { batch, length: length - from };
  const ids = new Int32Array(batch * shape.length);
  for (const [row, prompt] of prompts.entries()) ids.set(prompt.subarray(from), row * shape.length);
  const lengths = Int32Array.from({ length: batch }, (_, row) => prompts[row]?.length ?? from + 1);
  const ends = lengths.map((tokens, row) => row * shape.length + tokens - from - 1);
  const logitsAt = Int32Array.from({ length: Math.max(headRows, batch) }, (_, row) => ends[row] ?? 0);
  const { logits, fresh } = await forward(model, (): ForwardInput => {
    const rows = { ids, ...shape, lengths };
    const { attend, ...tokens } =
      prefix === undefined
        ? paddedRows(model.config, rows)
        : rowsAfterPrefix(model.config, { ...rows, prefix });
    const stored = (projected: Projected) => ({ attended: attend(projected), isStored: false });
    return { ...tokens, ...shape, attend: stored, logitsAt };
  });
  return prompts.map((prompt, row) => {
    const own = { from: row, to: row + 1, of: batch };
    const layers = fresh.map(({ layer, keys, values }) => ({
      layer,
      keys: rowsOf(keys, own),
      values: rowsOf(values, own),
    }));
    const span = { from, tokens: prompt.length - from, layers };
    return {
      logits: rowsOf(logits, { ...own, of: logitsAt.length }),
      spans: prefix === undefined ? [span] : [prefix, span],
    };
  });
}

/** Stores the keys and values of a prompt in a row of a cache. */
export function storePrompt(
  cache: KeyValueCache,
  { prompt, row }: { readonly prompt: PrefilledPrompt; readonly row: number },
): void {
  for (const { from, tokens, layers } of prompt.spans)
    for (const { layer, keys, values } of layers)
      cache.store(layer, { keys, values, places: [{ row, slot: from, tokens }] });
}

/** The input of a pass over B rows of T tokens each, which follow a prefix that all of them share. */
function rowsAfterPrefix(
  config: ModelConfig,
  {
    ids,
    batch,
    length,
    lengths,
    prefix,
  }: {
    readonly ids: Int32Array;
    readonly batch: number;
    readonly length: number;
    readonly lengths: Int32Array;
    readonly prefix: KeyValueSpan;
  },
): Tokens {
  const { tokens: from } = prefix;
  const shape: [number, number, number, number] = [1, config.keyValueHeads, from, config.headDim];
  const inEveryRow = (cached: Float32Array | undefined) =>
    tf.tile(tf.tensor4d(cached ?? noValues, shape), [batch, 1, 1, 1]);
  const cached = (layer: number) => ({
    keys: inEveryRow(prefix.layers[layer]?.keys),
    values: inEveryRow(prefix.layers[layer]?.values),
  });
  return {
    ids: tf.tensor1d(ids, 'int32'),
    positions: Int32Array.from(ids, (_, index) => from + (index % length)),
    textLengths: Int32Array.from(ids, (_, index) => lengths[Math.floor(index / length)] ?? 0),
    attend: attendContinuation(config, { batch, length, from, slots: from, cached }),
  };
}

/** A view of some of an array's `of` rows. */
function rowsOf(
  array: Float32Array,
  { from, to, of }: { readonly from: number; readonly to: number; readonly of: number },
): Float32Array {
  const size = array.length / of;
  return array.subarray(from * size, to * size);
}

interface Continuation {
  /** Of one row, whose first `from` slots are filled. */
  readonly cache: KeyValueCache;
  /** At least one token. */
  readonly tokens: Int32Array;
  readonly from: number;
  /** The tokens are padded to this length, T. */
  readonly length: number;
}

/** One forward pass over tokens that continue a cached text: adds them to the cache and returns the logits after the last, [V]. */
export async function prefillContinuation(
  model: LanguageModel,
  continuation: Continuation,
): Promise<Float32Array> {
  const { cache, tokens, from, length } = continuation;
  const { contextLength } = model.config;
  const ids = new Int32Array(length);
  ids.set(tokens);
  const { logits, fresh } = await forward(model, (): ForwardInput => {
    const attend = attendContinuation(model.config, {
      ...{ batch: 1, length, from, slots: cache.slots },
      cached: (layer) => cache.tensors(layer, 1),
    });
    return {
      ...{ batch: 1, length },
      ids: tf.tensor1d(ids, 'int32'),
      // Padding may reach beyond the end of the context, which has no positions there.
      positions: Int32Array.from(ids, (_, index) => Math.min(from + index, contextLength - 1)),
      textLengths: new Int32Array(length).fill(from + tokens.length),
      attend: (projected) => ({ attended: attend(projected), isStored: false }),
      logitsAt: Int32Array.of(tokens.length - 1),
    };
  });
  const places = [{ row: 0, slot: from, tokens: tokens.length }];
  for (const { layer, keys, values } of fresh) cache.store(layer, { keys, values, places });
  return logits;
}

/** Attention of T tokens in each of B rows to what is cached of their row, and to each other. Call it inside tf.tidy. */
function attendContinuation(
  sizes: ModelSizes,
  {
    batch,
    length,
    from,
    slots,
    cached,
  }: {
    readonly batch: number;
    readonly length: number;
    /** How many of S slots are filled, in each row. */
    readonly from: number;
    readonly slots: number;
    /** [B, K, S, D] each */
    readonly cached: (layer: number) => { readonly keys: tf.Tensor; readonly values: tf.Tensor };
  },
): Attend {
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch, length, heads: sizes.keyValueHeads };
  const maskOf = masksByWindow(sizes, (window) => continuationMask({ from, length, group, slots, window }));
  return ({ layer, query, key, value }) => {
    const { keys, values } = cached(layer);
    const attended = causalAttention({
      query: groupQueries(query, { ...shape, group }), // [B, K, G T, D]
      key: tf.concat([keys, splitHeads(key, shape)], 2), // [B, K, S + T, D]
      value: tf.concat([values, splitHeads(value, shape)], 2),
      mask: maskOf(layer),
      scoreCap: sizes.scoreCap,
    });
    return ungroupQueries(attended, { ...shape, group });
  };
}

/** [G T, S + T], the same for each of G query heads: 0 where a token attends, MASKED_SCORE elsewhere. */
function continuationMask({
  from,
  length,
  group,
  slots,
  window = from + length,
}: {
  readonly from: number;
  /** T */
  readonly length: number;
  /** G */
  readonly group: number;
  /** S */
  readonly slots: number;
  readonly window: number | undefined;
}): tf.Tensor {
  const columns = slots + length;
  const mask = new Float32Array(group * length * columns).fill(MASKED_SCORE);
  for (let row = 0; row < group * length; row++) {
    const token = row % length;
    const start = row * columns;
    mask.fill(0, start + Math.min(from, Math.max(0, from + token - window + 1)), start + from);
    mask.fill(0, start + slots + Math.max(0, token - window + 1), start + slots + token + 1);
  }
  return tf.tensor2d(mask, [group * length, columns]);
}

const noValues = new Float32Array();
