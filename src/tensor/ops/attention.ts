import * as tf from '@tensorflow/tfjs-core';
import { capSlope, softCapped } from './activations.ts';
import { hasInPlaceSteps } from './adam-w.ts';
import { customGradient, fused, hasKernel } from './custom-gradient.ts';
import { inChosenPrecision } from './product-precision.ts';

export interface CausalAttentionOptions {
  /** [B, H, T, D] */
  readonly query: tf.Tensor;
  /** [B, H, S, D] */
  readonly key: tf.Tensor;
  /** [B, H, S, D] */
  readonly value: tf.Tensor;
  /** Added to the scores: 0 where a query may attend, a large negative number elsewhere. [T, S] or [B, 1, T, S] */
  readonly mask: tf.Tensor;
  /** Scores are squeezed between -cap and cap before the mask, if there is one. */
  readonly scoreCap?: number | undefined;
  /** The weights are multiplied by this in training, 0 or 1 / (1 - rate): [B, H, T, S] */
  readonly dropout?: tf.Tensor | undefined;
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762): softmax(Q Kᵀ / sqrt(D) + mask) V,
 * [B, H, T, D]; with a cap, Q Kᵀ / sqrt(D) goes through `softCap` first. Mask and dropout are not differentiated.
 */
export function causalAttention(options: CausalAttentionOptions): tf.Tensor {
  const { query, key, value, mask, scoreCap, dropout } = options;
  const scale = 1 / Math.sqrt(query.shape.at(-1) ?? 1);
  return customGradient([query, key, value], (keep) => {
    const scores = scaledMatMul({ a: query, b: key, transposeB: true, scale }); // [B, H, T, S]
    const capped = scoreCap === undefined ? undefined : softCapped(scores, scoreCap);
    const weights = tf.softmax(tf.add(capped ?? scores, mask));
    const kept = dropout === undefined ? weights : tf.mul(weights, dropout);
    const attended = scaledMatMul({ a: kept, b: value });
    const optional = [dropout, capped].filter((tensor) => tensor !== undefined);
    keep([query, key, value, weights, attended, ...optional]);
    const gradient = (dy: tf.Tensor, kept: tf.Tensor[]) =>
      attentionGradient(dy, kept, { scale, scoreCap, hasDropout: dropout !== undefined });
    return { value: attended, gradient };
  });
}

/**
 * With P the weights and O = P V: dS = P (dP - rowsum(dP P)), and rowsum(dP P) = rowsum(dO O)
 * (Dao et al. 2022, arXiv:2205.14135, appendix B), which sums D columns instead of S.
 * With dropout factors F, O = (P F) V and dP = F (dO Vᵀ), and the row sums are the same. With a cap, dS is that of the
 * capped scores, and the slope of `softCap` follows.
 */
function attentionGradient(
  dy: tf.Tensor,
  kept: tf.Tensor[],
  { scale, scoreCap, hasDropout }: { scale: number; scoreCap: number | undefined; hasDropout: boolean },
): tf.Tensor[] {
  const [query, key, value, weights, attended, ...optional] = kept as [
    ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
    ...tf.Tensor[],
  ]; // as kept above
  const dropout = hasDropout ? optional[0] : undefined;
  const capped = scoreCap === undefined ? undefined : optional.at(-1);
  const dropped = (x: tf.Tensor) => (dropout === undefined ? x : tf.mul(x, dropout));
  const dWeights = dropped(scaledMatMul({ a: dy, b: value, transposeB: true })); // [B, H, T, S]
  const rowSums = tf.sum(tf.mul(dy, attended), -1, true); // [B, H, T, 1]
  const dCapped = tf.mul(weights, tf.sub(dWeights, rowSums));
  const dScores =
    capped === undefined || scoreCap === undefined ? dCapped : tf.mul(dCapped, capSlope(capped, scoreCap));
  return [
    scaledMatMul({ a: dScores, b: key, scale }),
    scaledMatMul({ a: dScores, b: query, transposeA: true, scale }),
    scaledMatMul({ a: dropped(weights), b: dy, transposeA: true }),
  ];
}

function scaledMatMul({
  a,
  b,
  transposeA = false,
  transposeB = false,
  scale = 1,
}: {
  readonly a: tf.Tensor;
  readonly b: tf.Tensor;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly scale?: number;
}): tf.Tensor {
  const product = () => inChosenPrecision(() => tf.matMul(a, b, transposeA, transposeB));
  if (scale === 1) return product();
  const attributes = { transposeA, transposeB, scale };
  const result = inChosenPrecision(() => fused('ScaledMatMul', { inputs: { a, b }, attributes }))?.[0];
  return result ?? tf.mul(product(), scale);
}

interface CachedAttentionOptions {
  /** [B, H D], of one new token per row */
  readonly query: tf.Tensor;
  /** [B, K D] for K heads of keys and values, each shared by H / K query heads */
  readonly key: tf.Tensor;
  /** [B, K D] */
  readonly value: tf.Tensor;
  /** [B, K, S, D], of the earlier tokens, in the first `lengths[b]` of S slots */
  readonly keys: tf.Tensor;
  /** [B, K, S, D] */
  readonly values: tf.Tensor;
  /** int32 [B], each less than S */
  readonly lengths: tf.Tensor;
  /** How many tokens a token attends to, itself included; all if absent. */
  readonly window?: number | undefined;
  /** Scores are squeezed between -cap and cap, if there is one. */
  readonly scoreCap?: number | undefined;
}

interface CachedAttention {
  /** [B, H D] */
  readonly attended: tf.Tensor;
  /**
   * Whether the backend also writes the new keys and values into the arrays behind `keys` and `values` when it
   * computes; those must not be read or changed before then. If false, the caller stores them.
   */
  readonly isStored: boolean;
}

/** The fused kernel takes heads whose head_dim is a multiple of this. */
const HEAD_DIM_STEP = 8;

const isAligned = (headDim: number): boolean => headDim % HEAD_DIM_STEP === 0;

/** Whether the active backend keeps tensors in its own memory and stores new keys and values there: the cache must be there. */
export const storesKeysAndValues = (heads: CachedHeads): boolean =>
  isFused(heads) && hasKernel('CachedAttention') && hasInPlaceSteps();

interface CachedHeads {
  readonly headDim: number;
  readonly scoreCap?: number | undefined;
}

/** Whether the fused kernel computes this. The one for devices may ignore a cap. */
const isFused = ({ headDim, scoreCap }: CachedHeads): boolean =>
  isAligned(headDim) && (scoreCap === undefined || !hasInPlaceSteps());

/** So low that its exponential is exactly 0 next to any real score, but finite, so that no NaN can arise. */
export const MASKED_SCORE = -1e9;

/** Scaled dot-product attention of one new token per row to the cached ones and to itself. No gradient. */
export function cachedAttention(options: CachedAttentionOptions): CachedAttention {
  const { window = 0, scoreCap = 0, ...inputs } = options;
  const attended = isFused({ headDim: options.keys.shape.at(-1) ?? 0, scoreCap: options.scoreCap })
    ? fused('CachedAttention', { inputs, attributes: { window, scoreCap } })?.[0]
    : undefined;
  return attended === undefined
    ? { attended: tf.tidy(() => byFormula(options)), isStored: false }
    : { attended, isStored: true };
}

// The new token's own score is computed separately and joined to the others for the softmax, so the cache is never copied.
function byFormula(options: CachedAttentionOptions): tf.Tensor {
  const { query, key, value, keys, values, lengths, window, scoreCap } = options;
  const capped = (scores: tf.Tensor) => (scoreCap === undefined ? scores : softCapped(scores, scoreCap));
  const [batch = 0, heads = 0, slots = 0, headDim = 0] = keys.shape;
  const scaled = tf.reshape(tf.mul(query, 1 / Math.sqrt(headDim)), [batch, heads, -1, headDim]); // [B, K, G, D]
  const mask = cacheMask({ lengths, slots, window });
  const cached = tf.add(capped(tf.matMul(scaled, keys, false, true)), mask); // [B, K, G, S]
  const own = capped(tf.matMul(scaled, tf.reshape(key, [batch, heads, 1, headDim]), false, true)); // [B, K, G, 1]
  const [onCached, onOwn] = tf.split(tf.softmax(tf.concat([cached, own], 3)), [slots, 1], 3) as [
    tf.Tensor, // [B, K, G, S]
    tf.Tensor, // [B, K, G, 1]
  ];
  const fromOwn = tf.mul(onOwn, tf.reshape(value, [batch, heads, 1, headDim])); // [B, K, G, D]
  return tf.reshape(tf.add(tf.matMul(onCached, values), fromOwn), query.shape);
}

/** [B, 1, 1, S]: 0 where the new token attends, MASKED_SCORE elsewhere. */
function cacheMask({
  lengths,
  slots,
  window = slots + 1,
}: {
  readonly lengths: tf.Tensor;
  readonly slots: number;
  readonly window: number | undefined;
}): tf.Tensor {
  const row = tf.reshape(lengths, [-1, 1, 1, 1]);
  const slot = tf.range(0, slots, 1, 'int32');
  const isFilled = tf.less(slot, row);
  const isNear = tf.greater(slot, tf.sub(row, tf.scalar(window, 'int32')));
  return tf.where(tf.logicalAnd(isFilled, isNear), 0, MASKED_SCORE);
}
