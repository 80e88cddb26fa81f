import { decodeHalf, encodeFloat16 } from '../safetensors/floats.ts';

/**
 * The formats of super-blocks of 256 values, whose groups have quantized scales. As in ggml-quants.c, a group's scale is
 * searched for among several by its squared error; sums are in single precision and in its order, so that the bytes agree.
 */
const single = Math.fround;
const codes = new Uint8Array(256);
const trial = new Uint8Array(32);
const weights = new Float32Array(32);

/** Q4_K: eight groups of 32 values, each with a scale and a minimum of six bits. */
export function packQ4K(values: Float32Array, block: DataView): void {
  const fits = Array.from({ length: 8 }, (_, group) => {
    const start = 32 * group;
    return fitWithMinimum(values.subarray(start, start + 32), codes.subarray(start, start + 32));
  });
  const largest = (of: 'scale' | 'offset') => fits.reduce((most, fit) => Math.max(most, fit[of]), 0);
  const [scale, offset] = [largest('scale'), largest('offset')];
  const sixBits = (value: number, most: number) =>
    most > 0 ? Math.min(63, nearest(single(single(63 / most) * value))) : 0;
  const quantized = fits.map((fit) => ({
    scale: sixBits(fit.scale, scale),
    offset: sixBits(fit.offset, offset),
  }));
  const [unit, offsetUnit] = [setHalf(block, 0, scale / 63), setHalf(block, 2, offset / 63)];
  for (const [group, of] of quantized.entries()) {
    setSixBits(block, group, of);
    const [step, lowest] = [single(unit * of.scale), single(offsetUnit * of.offset)];
    if (step === 0) continue;
    for (let i = 32 * group; i < 32 * group + 32; i++)
      codes[i] = within(0, nearest(single(single((values[i] ?? 0) + lowest) / step)), 15);
  }
  // Groups in pairs: the first in the low nibbles of 32 bytes, the second in the high ones.
  for (let i = 0; i < 128; i++) {
    const first = 64 * (i >> 5) + (i & 31);
    block.setUint8(16 + i, (codes[first] ?? 0) | ((codes[first + 32] ?? 0) << 4));
  }
}

/** Twelve bytes: six bits each of the first four groups' scales and minima, and above them the upper bits of the others'. */
function setSixBits(block: DataView, group: number, { scale, offset }: Fit): void {
  if (group < 4) {
    block.setUint8(4 + group, scale);
    block.setUint8(8 + group, offset);
    return;
  }
  block.setUint8(8 + group, (scale & 15) | ((offset & 15) << 4));
  block.setUint8(group, block.getUint8(group) | ((scale >> 4) << 6));
  block.setUint8(4 + group, block.getUint8(4 + group) | ((offset >> 4) << 6));
}

/** A value is scale * code - offset. */
interface Fit {
  readonly scale: number;
  readonly offset: number;
}

/** Finds codes from 0 to 15 for 32 values, with larger weights for larger values. */
function fitWithMinimum(values: Float32Array, found: Uint8Array): Fit {
  let squares = 0;
  for (const value of values) squares = single(squares + single(value * value));
  const average = single(Math.sqrt(single(squares / 32)));
  let [low, high, weightSum, sum] = [values[0] ?? 0, values[0] ?? 0, 0, 0];
  for (let i = 0; i < 32; i++) {
    const value = values[i] ?? 0;
    const weight = single(average + Math.abs(value));
    weights[i] = weight;
    if (value < low) low = value;
    if (value > high) high = value;
    weightSum = single(weightSum + weight);
    sum = single(sum + single(weight * value));
  }
  if (low > 0) low = 0;
  if (high === low) {
    found.fill(0);
    return { scale: 0, offset: -low };
  }
  const first = single(15 / single(high - low));
  encodeFrom(values, { low, inverse: first, into: found });
  let best = { scale: single(1 / first), low };
  let bestError = squaredError(values, { ...best, codes: found });
  for (let step = 0; step <= 20; step++) {
    const levels = single(single(-1 + single(single(0.1) * step)) + 15);
    const inverse = single(levels / single(high - best.low));
    encodeFrom(values, { low: best.low, inverse, into: trial });
    const fitted = leastSquares(values, { weightSum, sum });
    if (fitted === undefined) continue;
    const error = squaredError(values, { ...fitted, codes: trial });
    if (error >= bestError) continue;
    found.set(trial);
    [best, bestError] = [fitted, error];
  }
  return { scale: best.scale, offset: -best.low };
}

function encodeFrom(
  values: Float32Array,
  { low, inverse, into }: { readonly low: number; readonly inverse: number; readonly into: Uint8Array },
): void {
  for (let i = 0; i < 32; i++)
    into[i] = within(0, nearest(single(inverse * single((values[i] ?? 0) - low))), 15);
}

interface Line {
  readonly scale: number;
  readonly low: number;
}

/** The line through the trial codes and their values with the least weighted error, but never above zero at code 0. */
function leastSquares(
  values: Float32Array,
  { weightSum, sum }: { readonly weightSum: number; readonly sum: number },
): Line | undefined {
  let [codeSum, codeSquares, products] = [0, 0, 0];
  for (let i = 0; i < 32; i++) {
    const code = trial[i] ?? 0;
    const weighted = single((weights[i] ?? 0) * code);
    codeSum = single(codeSum + weighted);
    codeSquares = single(codeSquares + single(weighted * code));
    products = single(products + single(weighted * (values[i] ?? 0)));
  }
  const determinant = single(single(weightSum * codeSquares) - single(codeSum * codeSum));
  if (!(determinant > 0)) return undefined;
  const low = single(single(single(codeSquares * sum) - single(codeSum * products)) / determinant);
  if (low > 0) return { scale: single(products / codeSquares), low: 0 };
  return {
    scale: single(single(single(weightSum * products) - single(sum * codeSum)) / determinant),
    low,
  };
}

function squaredError(
  values: Float32Array,
  { scale, low, codes: given }: Line & { readonly codes: Uint8Array },
): number {
  let error = 0;
  for (let i = 0; i < 32; i++) {
    const distance = single(single(single(scale * (given[i] ?? 0)) + low) - (values[i] ?? 0));
    error = single(error + single((weights[i] ?? 0) * single(distance * distance)));
  }
  return error;
}

/** Below this, all values of a group count as zero. */
const negligible = 1e-15;

/** Q6_K: sixteen groups of 16 values, each with a scale of eight bits. */
export function packQ6K(values: Float32Array, block: DataView): void {
  const scales = Float32Array.from({ length: 16 }, (_, group) =>
    fitAroundZero(values.subarray(16 * group, 16 * group + 16), codes.subarray(16 * group, 16 * group + 16)),
  );
  const largest = scales.reduce((most, scale) => (Math.abs(scale) > Math.abs(most) ? scale : most), 0);
  if (Math.abs(largest) < negligible) return; // zeros, as the block is already
  const inverse = single(-128 / largest);
  const unit = setHalf(block, 208, single(1 / inverse));
  for (const [group, scale] of scales.entries()) {
    const quantized = Math.min(127, nearest(single(inverse * scale)));
    block.setInt8(192 + group, quantized);
    const step = single(unit * quantized);
    if (step === 0) continue;
    for (let i = 16 * group; i < 16 * group + 16; i++)
      codes[i] = within(-32, nearest(single((values[i] ?? 0) / step)), 31) + 32;
  }
  // Two halves of four groups of 32: the low four bits of two groups share 32 bytes, as do the high two bits of all four.
  for (let half = 0; half < 2; half++)
    for (let i = 0; i < 32; i++) {
      const of = (group: number) => codes[128 * half + 32 * group + i] ?? 0;
      block.setUint8(64 * half + i, (of(0) & 15) | ((of(2) & 15) << 4));
      block.setUint8(64 * half + 32 + i, (of(1) & 15) | ((of(3) & 15) << 4));
      const high = (of(0) >> 4) | ((of(1) >> 4) << 2) | ((of(2) >> 4) << 4) | ((of(3) >> 4) << 6);
      block.setUint8(128 + 32 * half + i, high);
    }
}

/** Finds codes around 32 for 16 values, weighted by their squares; returns the scale. */
function fitAroundZero(values: Float32Array, found: Uint8Array): number {
  let farthest = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(farthest)) farthest = value;
  if (Math.abs(farthest) < negligible) {
    found.fill(0);
    return 0;
  }
  const fitAt = (inverse: number) => {
    let [products, squares] = [0, 0];
    for (const value of values) {
      const code = within(-32, nearest(single(inverse * value)), 31);
      const weight = single(value * value);
      products = single(products + single(single(weight * value) * code));
      squares = single(squares + single(single(weight * code) * code));
    }
    return { inverse, products, squares };
  };
  const first = fitAt(single(-32 / farthest));
  let chosen = first;
  let scale = first.squares > 0 ? single(first.products / first.squares) : 0;
  let best = single(scale * first.products);
  for (let step = -9; step <= 9; step++) {
    if (step === 0) continue;
    const fit = fitAt(single(-single(32 + single(single(0.1) * step)) / farthest));
    if (!(fit.squares > 0) || single(fit.products * fit.products) <= single(best * fit.squares)) continue;
    chosen = fit;
    scale = single(fit.products / fit.squares);
    best = single(scale * fit.products);
  }
  for (let i = 0; i < 16; i++)
    found[i] = within(-32, nearest(single(chosen.inverse * (values[i] ?? 0))), 31) + 32;
  return scale;
}

/** The nearest whole number of a single with a magnitude below 2^22, ties to even. */
const nearest = (value: number): number => single(value + 12_582_912) - 12_582_912;

const within = (low: number, value: number, high: number): number => Math.max(low, Math.min(high, value));

/** Writes a number as binary16, and returns it as it can be read. */
function setHalf(block: DataView, at: number, value: number): number {
  const half = encodeFloat16(Float32Array.of(value))[0] ?? 0;
  block.setUint16(at, half, true);
  return decodeHalf(half);
}
