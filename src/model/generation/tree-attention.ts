import * as tf from '@tensorflow/tfjs-core';
import { groupQueries, HIDDEN_SCORE, splitHeads, ungroupQueries } from '../attend-rows.ts';
import type { ModelSizes } from '../family.ts';
import type { Attend } from '../forward-pass.ts';
import type { ModelConfig } from '../model-config.ts';
import type { RatedToken } from './log-likelihoods.ts';

/** Keys and values of a text that all rows begin with, for each layer: [P, K D]. */
export type CachedPrefix = readonly { readonly key: tf.Tensor; readonly value: tf.Tensor }[];

interface BranchedAttention {
  /** Rows, B. */
  readonly batch: number;
  /** Tokens in every row, T. */
  readonly length: number;
  /** Added to the scores of a row's own tokens: [B, 1, 1, T, T] */
  readonly mask: tf.Tensor;
  readonly prefix: CachedPrefix | undefined;
}

/** Attention of rows to a prefix that all of them see whole, and among their own tokens as the mask says. */
export function attendBranches(sizes: ModelSizes, attention: BranchedAttention): Attend {
  const { batch, length, mask, prefix } = attention;
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch, length, heads: sizes.keyValueHeads };
  return ({ layer, query, key, value }) => {
    const scaled = tf.mul(query, 1 / Math.sqrt(sizes.headDim));
    const queries = groupQueries(scaled, { ...shape, group }); // [B, K, G T, D]
    const own = maskedScores({ queries, keys: splitHeads(key, shape), mask, group }); // [B, K, G T, T]
    const values = splitHeads(value, shape); // [B, K, T, D]
    const cached = prefix?.[layer];
    if (cached === undefined) return ungroupQueries(tf.matMul(tf.softmax(own), values), { ...shape, group });
    const [cachedLength = 0] = cached.key.shape;
    const cachedShape = { batch: 1, length: cachedLength, heads: sizes.keyValueHeads };
    const onCached = tf.matMul(queries, splitHeads(cached.key, cachedShape), false, true); // [B, K, G T, P]
    const [weightsOfCached, weightsOfOwn] = tf.split(
      tf.softmax(tf.concat([onCached, own], 3)),
      [cachedLength, length],
      3,
    ) as [tf.Tensor, tf.Tensor]; // as many as asked for
    const fromCached = tf.matMul(weightsOfCached, splitHeads(cached.value, cachedShape));
    return ungroupQueries(tf.add(fromCached, tf.matMul(weightsOfOwn, values)), { ...shape, group });
  };
}

interface OwnScores {
  /** [B, K, G T, D] */
  readonly queries: tf.Tensor;
  /** [B, K, T, D] */
  readonly keys: tf.Tensor;
  /** [B, 1, 1, T, T] */
  readonly mask: tf.Tensor;
  readonly group: number;
}

/** The heads of a group share one mask, which is not repeated for each. */
function maskedScores({ queries, keys, mask, group }: OwnScores): tf.Tensor {
  const scores = tf.matMul(queries, keys, false, true); // [B, K, G T, T]
  const [batch = 0, heads = 0, , length = 0] = scores.shape;
  const apart = tf.reshape(scores, [batch, heads, group, length, length]);
  return tf.reshape(tf.add(apart, mask), [batch, heads, group * length, length]);
}

/** A context and continuations of it, of which no one sees another: a tree of texts in one row. */
interface Branches {
  readonly context: Int32Array;
  /** At least one token each. */
  readonly continuations: readonly Int32Array[];
  /** So many of the context's first tokens are not in the row, but in a cache; fewer than it has. */
  readonly cached: number;
}

/** The tokens that a model has to read to rate every continuation: the context once, then each but for its last token. */
export interface BranchedRow {
  readonly ids: Int32Array;
  /** Each token's place in its own text. */
  readonly positions: Int32Array;
  /** Which tokens see each other: 0 for the context, which all see, then a number a continuation. */
  readonly branches: Int32Array;
  /** For each continuation its tokens, with the places in the row that predict them. */
  readonly rated: readonly (readonly RatedToken[])[];
}

function branchedRow({ context, continuations, cached }: Branches): BranchedRow {
  const own = context.subarray(cached);
  const ids: number[] = [...own];
  const positions = ids.map((_, index) => cached + index);
  const branches = ids.map(() => 0);
  const rated = continuations.map((continuation, branch) =>
    Array.from(continuation, (target, index) => {
      const place = index === 0 ? own.length - 1 : ids.length - 1;
      if (index < continuation.length - 1) {
        ids.push(target);
        positions.push(context.length + index);
        branches.push(branch + 1);
      }
      return { target, place };
    }),
  );
  return {
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    branches: Int32Array.from(branches),
    rated,
  };
}

interface MaskShape {
  /** The row is padded to so many tokens, T. */
  readonly length: number;
  /** How many tokens of its own text a token looks back on, itself included. */
  readonly window: number;
}

/** [T, T]: 0 where a token looks, HIDDEN_SCORE elsewhere. */
export function branchedMask(
  { branches, positions }: Pick<BranchedRow, 'branches' | 'positions'>,
  { length, window }: MaskShape,
): Float32Array {
  const mask = new Float32Array(length * length).fill(HIDDEN_SCORE);
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
export interface ChoicesToRate {
  readonly id: string;
  /** At least one token. */
  readonly context: Int32Array;
  /** At least one token each. */
  readonly continuations: readonly Int32Array[];
  /** So many of the context's first tokens are said to be those of other contexts too. */
  readonly shared: number;
}

/** A row of tokens that rates some of a context's continuations: those from `from` on. */
export interface PlannedRow {
  readonly id: string;
  readonly prefix: Int32Array;
  readonly from: number;
  readonly row: BranchedRow;
}

/** A shared beginning is cached in multiples of this many tokens, so that few shapes arise and none is padded. */
const prefixStep = 64;

/** Continuations may make a row as long again as its context, or so long. */
const fewTokens = 128;

/** The rows that rate all continuations. How a context is cut follows from itself and the model alone. */
export function planRows(
  choices: readonly ChoicesToRate[],
  model: Pick<ModelConfig, 'slidingWindow'> & { readonly isLengthBound: boolean },
): readonly PlannedRow[] {
  const { slidingWindow = Number.POSITIVE_INFINITY, isLengthBound } = model;
  return choices.flatMap(({ id, context, continuations, shared }) => {
    const longest = context.length + Math.max(...continuations.map(({ length }) => length));
    const usable = isLengthBound || longest > slidingWindow ? 0 : Math.min(shared, context.length - 1);
    const cached = usable - (usable % prefixStep);
    const room = isLengthBound ? 0 : Math.max(fewTokens, context.length - cached);
    return cuts(continuations, room).map(([from, to]): PlannedRow => {
      const row = branchedRow({ context, continuations: continuations.slice(from, to), cached });
      return { id, prefix: context.subarray(0, cached), from, row };
    });
  });
}

/** Ranges of continuations, each of one at least and of no more tokens than there is room for. */
function cuts(
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

interface PrefixGroup {
  readonly prefix: Int32Array;
  readonly rows: readonly PlannedRow[];
}

/** Whether a token's keys change with the length of its text, so that texts of several lengths have none in common. */
export const isLengthBound = (config: ModelConfig): boolean =>
  config.family === 'llama' && ['dynamic', 'longrope'].includes(config.rotary.scaling.kind);

/** Rows that begin with the same cached tokens, in the order in which those first come. */
export function samePrefixes(rows: readonly PlannedRow[]): readonly PrefixGroup[] {
  const groups = new Map<string, { prefix: Int32Array; rows: PlannedRow[] }>();
  for (const row of rows) {
    const name = row.prefix.join();
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { prefix: row.prefix, rows: [row] });
    else group.rows.push(row);
  }
  return [...groups.values()];
}
