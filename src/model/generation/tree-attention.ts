import * as tf from '@tensorflow/tfjs-core';
import { MASKED_SCORE, softCap } from '../../tensor/index.ts';
import { groupQueries, splitHeads, ungroupQueries } from '../attend-rows.ts';
import type { ModelSizes } from '../family.ts';
import type { Attend } from '../forward-pass.ts';
import type { ModelConfig } from '../model-config.ts';
import type { ScoredToken } from './log-likelihoods.ts';

/** Keys and values of a text that all rows start with, for each layer: [P, K D]. */
export type CachedPrefix = readonly { readonly key: tf.Tensor; readonly value: tf.Tensor }[];

/** Tree attention: every token attends to the whole prefix, and to tokens of its own row as the mask says. */
export function attendTree(
  sizes: ModelSizes,
  {
    batch,
    length,
    maskOf,
    prefix,
  }: {
    /** Rows, B. */
    readonly batch: number;
    /** Tokens in every row, T. */
    readonly length: number;
    /** For a layer, what is added to the scores of a row's own tokens: [B, 1, 1, T, T] */
    readonly maskOf: (layer: number) => tf.Tensor;
    readonly prefix: CachedPrefix | undefined;
  },
): Attend {
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch, length, heads: sizes.keyValueHeads };
  return ({ layer, query, key, value }) => {
    const scaled = tf.mul(query, 1 / Math.sqrt(sizes.headDim));
    const capped = (scores: tf.Tensor) =>
      sizes.scoreCap === undefined ? scores : softCap({ x: scores, cap: sizes.scoreCap });
    const queries = groupQueries(scaled, { ...shape, group }); // [B, K, G T, D]
    const onOwn = capped(tf.matMul(queries, splitHeads(key, shape), false, true));
    const own = masked({ scores: onOwn, mask: maskOf(layer), group }); // [B, K, G T, T]
    const values = splitHeads(value, shape); // [B, K, T, D]
    const cached = prefix?.[layer];
    if (cached === undefined) return ungroupQueries(tf.matMul(tf.softmax(own), values), { ...shape, group });
    const [cachedLength = 0] = cached.key.shape;
    const cachedShape = { batch: 1, length: cachedLength, heads: sizes.keyValueHeads };
    const onCached = capped(tf.matMul(queries, splitHeads(cached.key, cachedShape), false, true)); // [B, K, G T, P]
    const [weightsOfCached, weightsOfOwn] = tf.split(
      tf.softmax(tf.concat([onCached, own], 3)),
      [cachedLength, length],
      3,
    ) as [tf.Tensor, tf.Tensor]; // one for each size
    const fromCached = tf.matMul(weightsOfCached, splitHeads(cached.value, cachedShape));
    return ungroupQueries(tf.add(fromCached, tf.matMul(weightsOfOwn, values)), { ...shape, group });
  };
}

/** The heads of a group share one mask, by broadcasting. */
function masked({
  scores,
  mask,
  group,
}: {
  /** [B, K, G T, T] */
  readonly scores: tf.Tensor;
  /** [B, 1, 1, T, T] */
  readonly mask: tf.Tensor;
  readonly group: number;
}): tf.Tensor {
  const [batch = 0, heads = 0, , length = 0] = scores.shape;
  const apart = tf.reshape(scores, [batch, heads, group, length, length]);
  return tf.reshape(tf.add(apart, mask), [batch, heads, group * length, length]);
}

/**
 * A context and its continuations in one row: the context once, then each continuation without its last token. No
 * continuation attends to another.
 */
export interface TokenTree {
  readonly ids: Int32Array;
  /** Each token's position in its own text. */
  readonly positions: Int32Array;
  /** 0 for the context, to which all attend, then a number per continuation. */
  readonly branches: Int32Array;
  /** For each continuation its tokens, with the positions in the row that predict them. */
  readonly scored: readonly (readonly ScoredToken[])[];
}

function tokenTree({
  context,
  continuations,
  cached,
}: {
  readonly context: Int32Array;
  /** At least one token each. */
  readonly continuations: readonly Int32Array[];
  /** How many of the context's first tokens are in the cached prefix instead of the row; not all. */
  readonly cached: number;
}): TokenTree {
  const own = context.subarray(cached);
  const ids: number[] = [...own];
  const positions = ids.map((_, index) => cached + index);
  const branches = ids.map(() => 0);
  const scored = continuations.map((continuation, branch) =>
    Array.from(continuation, (target, index) => {
      const position = index === 0 ? own.length - 1 : ids.length - 1;
      if (index < continuation.length - 1) {
        ids.push(target);
        positions.push(context.length + index);
        branches.push(branch + 1);
      }
      return { target, position };
    }),
  );
  return {
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    branches: Int32Array.from(branches),
    scored,
  };
}

/** [T, T], for a row padded to `length` T: 0 where a token attends, MASKED_SCORE elsewhere. */
export function treeMask(
  { branches, positions }: Pick<TokenTree, 'branches' | 'positions'>,
  { length, window }: { readonly length: number; readonly window: number },
): Float32Array {
  const mask = new Float32Array(length * length).fill(MASKED_SCORE);
  for (let query = 0; query < length; query++) {
    mask[query * length + query] = 0;
    const [branch, position = 0] = [branches[query], positions[query]];
    if (branch === undefined) continue;
    for (let key = 0; key < query; key++) {
      const isOfText = branches[key] === 0 || branches[key] === branch;
      if (isOfText && position - (positions[key] ?? 0) < window) mask[query * length + key] = 0;
    }
  }
  return mask;
}

/** A context with continuations to choose from. */
export interface ChoicesToScore {
  readonly id: string;
  /** At least one token. */
  readonly context: Int32Array;
  /** At least one token each. */
  readonly continuations: readonly Int32Array[];
  /** How many of the context's first tokens other contexts are expected to share. */
  readonly shared: number;
}

/** A row of tokens that scores some of a context's continuations, starting with the one at index `from`. */
export interface PlannedRow {
  readonly id: string;
  readonly prefix: Int32Array;
  readonly from: number;
  readonly row: TokenTree;
}

/** A shared prefix is cached in multiples of this many tokens, so that there are few shapes and no padding. */
const prefixStep = 64;

/** Continuations may double the row's length, or add up to this many tokens. */
const fewTokens = 128;

/** The rows that score all continuations. How a context is split depends on itself and the model alone. */
export function planRows(
  choices: readonly ChoicesToScore[],
  model: Pick<ModelConfig, 'windows'> & { readonly isLengthBound: boolean },
): readonly PlannedRow[] {
  const { windows, isLengthBound } = model;
  const narrowest = Math.min(...windows.map((window = Number.POSITIVE_INFINITY) => window));
  return choices.flatMap(({ id, context, continuations, shared }) => {
    const longest = context.length + Math.max(...continuations.map(({ length }) => length));
    const usable = isLengthBound || longest > narrowest ? 0 : Math.min(shared, context.length - 1);
    const cached = usable - (usable % prefixStep);
    const room = isLengthBound ? 0 : Math.max(fewTokens, context.length - cached);
    return splitContinuations(continuations, room).map(([from, to]): PlannedRow => {
      const row = tokenTree({ context, continuations: continuations.slice(from, to), cached });
      return { id, prefix: context.subarray(0, cached), from, row };
    });
  });
}

/** Ranges of continuations, each with at least one and no more tokens than there is room for. */
function splitContinuations(
  continuations: readonly Int32Array[],
  room: number,
): readonly (readonly [from: number, to: number])[] {
  const ranges: (readonly [number, number])[] = [];
  let from = 0;
  let used = 0;
  for (const [index, { length }] of continuations.entries()) {
    if (index > from && used + length > room) {
      ranges.push([from, index]);
      [from, used] = [index, 0];
    }
    used += length;
  }
  return [...ranges, [from, continuations.length]];
}

/** Rows by their cached prefix, in the order in which prefixes first appear. */
export function groupByPrefix(
  rows: readonly PlannedRow[],
): readonly { readonly prefix: Int32Array; readonly rows: readonly PlannedRow[] }[] {
  const groups = new Map<string, { prefix: Int32Array; rows: PlannedRow[] }>();
  for (const row of rows) {
    const name = row.prefix.join();
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { prefix: row.prefix, rows: [row] });
    else group.rows.push(row);
  }
  return [...groups.values()];
}
