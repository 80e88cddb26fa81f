import * as tf from '@tensorflow/tfjs-core';
import { causalAttention, MASKED_SCORE } from '../../tensor/index.ts';
import { groupQueries, paddedRows, splitHeads, ungroupQueries } from '../attend-rows.ts';
import type { ModelSizes } from '../family.ts';
import type { Attend } from '../forward-pass.ts';
import type { LanguageModel, Tokens } from '../language-model.ts';
import { masksByWindow } from '../windows.ts';
import type { TokenTree } from './token-trees.ts';
import { type PassShape, prefixSlots } from './tree-passes.ts';

/** A text that all trees of a pass continue, owned by the caller. */
export interface CachedPrefix {
  /** Its tokens, in the first of P slots. */
  readonly tokens: number;
  readonly slots: number;
  /** Keys and values in each layer, [1, K, P, D]. */
  readonly layers: readonly { readonly keys: tf.Tensor; readonly values: tf.Tensor }[];
}

/** Reads a text that trees continue. */
export async function prefillPrefix(model: LanguageModel, tokens: Int32Array): Promise<CachedPrefix> {
  const { contextLength, keyValueHeads } = model.config;
  const slots = Math.min(prefixSlots(tokens.length), contextLength);
  const ids = new Int32Array(slots);
  ids.set(tokens);
  const layers: { keys: tf.Tensor; values: tf.Tensor }[] = [];
  const shape = { batch: 1, length: slots, heads: keyValueHeads };
  tf.tidy(() => {
    const rows = paddedRows(model.config, {
      ids,
      batch: 1,
      length: slots,
      lengths: Int32Array.of(tokens.length),
    });
    model.hidden({
      ...rows,
      attend: (projected) => {
        // They may be views of tensors that end with the pass, so keep copies.
        const kept = (x: tf.Tensor) => tf.keep(tf.clone(splitHeads(x, shape)));
        layers.push({ keys: kept(projected.key), values: kept(projected.value) });
        return rows.attend(projected);
      },
    });
  });
  // Computed now: a lazy backend would compute them with their first use, possibly with other rounding.
  await Promise.all(layers.flatMap(({ keys, values }) => [keys.data(), values.data()]));
  return { tokens: tokens.length, slots, layers };
}

export function disposePrefix({ layers }: CachedPrefix): void {
  for (const { keys, values } of layers) tf.dispose([keys, values]);
}

/** The forward pass's input for trees, and where each begins among its N tokens. Call it inside tf.tidy. */
export function treeTokens(
  sizes: ModelSizes,
  {
    trees,
    shape,
    prefix,
  }: { trees: readonly TokenTree[]; shape: PassShape; prefix: CachedPrefix | undefined },
): { readonly tokens: Tokens; readonly starts: readonly number[] } {
  const { rows, slots } = shape;
  const ids = new Int32Array(shape.tokens);
  const positions = new Int32Array(shape.tokens);
  // Read only by models for which a tree has a single text.
  const textLengths = new Int32Array(shape.tokens).fill(1);
  const slotOfToken = new Int32Array(shape.tokens);
  const tokenOfSlot = new Int32Array(rows * slots);
  const starts: number[] = [];
  let start = 0;
  for (const [row, tree] of trees.entries()) {
    const { length } = tree.ids;
    ids.set(tree.ids, start);
    positions.set(tree.positions, start);
    textLengths.fill((tree.positions.at(-1) ?? 0) + 1, start, start + length);
    for (let index = 0; index < length; index++) {
      slotOfToken[start + index] = row * slots + index;
      tokenOfSlot[row * slots + index] = start + index;
    }
    starts.push(start);
    start += length;
  }
  const attend = attendTrees(sizes, { trees, shape, prefix, slotOfToken, tokenOfSlot });
  return { tokens: { ids: tf.tensor1d(ids, 'int32'), positions, textLengths, attend }, starts };
}

/** Tree attention: every token attends to the whole prefix, to its context, and to its own continuation. */
function attendTrees(
  sizes: ModelSizes,
  {
    trees,
    shape: { rows: batch, slots: length },
    prefix,
    ...slots
  }: {
    readonly trees: readonly TokenTree[];
    readonly shape: PassShape;
    readonly prefix: CachedPrefix | undefined;
    /** [N] and [B T]; a filler's slot and an empty slot's token are any, since nothing reads the result. */
    readonly slotOfToken: Int32Array;
    readonly tokenOfSlot: Int32Array;
  },
): Attend {
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch, length, heads: sizes.keyValueHeads };
  const slotOfToken = tf.tensor1d(slots.slotOfToken, 'int32');
  const tokenOfSlot = tf.tensor1d(slots.tokenOfSlot, 'int32');
  const intoRows = (x: tf.Tensor) => tf.gather(x, tokenOfSlot); // [N, C] -> [B T, C]
  const columns = length + (prefix?.slots ?? 0);
  const maskOf = masksByWindow(sizes, (window) => {
    const mask = new Float32Array(batch * group * length * columns);
    for (let row = 0; row < batch; row++) {
      const own = treeMask(trees[row] ?? noTree, { length, window, prefix });
      for (let head = 0; head < group; head++) mask.set(own, (row * group + head) * own.length);
    }
    return tf.tensor4d(mask, [batch, 1, group * length, columns]);
  });
  return ({ layer, query, key, value }) => {
    const cached = prefix?.layers[layer];
    const joined = (before: tf.Tensor | undefined, x: tf.Tensor) => {
      const own = splitHeads(intoRows(x), shape); // [B, K, T, D]
      return before === undefined ? own : tf.concat([tf.tile(before, [batch, 1, 1, 1]), own], 2); // [B, K, P + T, D]
    };
    const attended = causalAttention({
      query: groupQueries(intoRows(query), { ...shape, group }), // [B, K, G T, D]
      key: joined(cached?.keys, key),
      value: joined(cached?.values, value),
      mask: maskOf(layer),
      scoreCap: sizes.scoreCap,
    });
    return tf.gather(ungroupQueries(attended, { ...shape, group }), slotOfToken); // [N, H D]
  };
}

const noTree = { branches: new Int32Array(), positions: new Int32Array() };

/** [T, P + T], for a tree in T slots after a prefix in P: 0 where a token attends, MASKED_SCORE elsewhere. */
function treeMask(
  { branches, positions }: Pick<TokenTree, 'branches' | 'positions'>,
  {
    length,
    window = Number.POSITIVE_INFINITY,
    prefix,
  }: {
    readonly length: number;
    readonly window: number | undefined;
    readonly prefix: CachedPrefix | undefined;
  },
): Float32Array {
  const { slots, tokens } = prefix ?? { slots: 0, tokens: 0 };
  const columns = slots + length;
  const mask = new Float32Array(length * columns).fill(MASKED_SCORE);
  for (let query = 0; query < length; query++) {
    const start = query * columns;
    // A prefix is cached only where every window reaches its beginning.
    mask.fill(0, start, start + tokens);
    mask[start + slots + query] = 0;
    const [branch, position = 0] = [branches[query], positions[query]];
    if (branch === undefined) continue;
    for (let key = 0; key < query; key++) {
      const isOfText = branches[key] === 0 || branches[key] === branch;
      if (isOfText && position - (positions[key] ?? 0) < window) mask[start + slots + key] = 0;
    }
  }
  return mask;
}
