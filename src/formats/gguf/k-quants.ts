import { decodeHalf, encodeFloat16 } from '../safetensors/floats.ts';

/**
 * The formats of super-blocks of 256 values, whose groups have quantized scales. As in ggml-quants.c, a group's scale is
 * searched for among several by its squared error; sums are in single precision and in its order, so that the bytes agree.
 */
export const single = Math.fround;
const codes = new Uint8Array(256);
const trial = new Uint8Array(32);
const weights = new Float32Array(32);

/** Q4_K: eight groups of 32 values, each with a scale and a minimum of six bits. */
export function packQ4K(values: Float32Array, block: DataView): void {
  packGroups(values, block, { most: 15, from: -1, steps: 20 });
  packNibbles(block, 16);
}

/** Q5_K: as Q4_K, with a fifth bit for each code. */
export function packQ5K(values: Float32Array, block: DataView): void {
  packGroups(values, block, { most: 31, from: -0.5, steps: 15 });
  // Byte i has the upper bits of the i-th codes of all groups.
  for (let i = 0; i < 32; i++) {
    let bits = 0;
    for (let group = 0; group < 8; group++) bits |= ((codes[32 * group + i] ?? 0) >> 4) << group;
    block.setUint8(16 + i, bits);
  }
  packNibbles(block, 48);
}

/** The codes' lower four bits. Groups in pairs: the first in the low nibbles of 32 bytes, the second in the high ones. */
function packNibbles(block: DataView, at: number): void {
  for (let i = 0; i < 128; i++) {
    const first = 64 * (i >> 5) + (i & 31);
    block.setUint8(at + i, ((codes[first] ?? 0) & 15) | (((codes[first + 32] ?? 0) & 15) << 4));
  }
}

/** How a scale is searched for: codes up to `most`, and scales for `most` + `from` levels on, in steps of a tenth. */
interface Search {
  readonly most: number;
  readonly from: number;
  readonly steps: number;
}

/** Writes the scales of the groups, and finds the codes. */
function packGroups(values: Float32Array, block: DataView, search: Search): void {
  const fits = Array.from({ length: 8 }, (_, group) => {
    const start = 32 * group;
    return fitWithMinimum(values.subarray(start, start + 32), codes.subarray(start, start + 32), search);
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
      codes[i] = within(0, nearest(single(single((values[i] ?? 0) + lowest) / step)), search.most);
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

/** Finds codes from 0 on for 32 values, with larger weights for larger values. */
function fitWithMinimum(values: Float32Array, found: Uint8Array, { most, from, steps }: Search): Fit {
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
  const first = single(most / single(high - low));
  encodeFrom(values, { low, inverse: first, into: found, most });
  let best = { scale: single(1 / first), low };
  let bestError = squaredError(values, { ...best, codes: found });
  for (let step = 0; step <= steps; step++) {
    const levels = single(single(from + single(single(0.1) * step)) + most);
    const inverse = single(levels / single(high - best.low));
    encodeFrom(values, { low: best.low, inverse, into: trial, most });
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
  {
    low,
    inverse,
    into,
    most,
  }: {
    readonly low: number;
    readonly inverse: number;
    readonly into: Uint8Array;
    readonly most: number;
  },
): void {
  for (let i = 0; i < 32; i++)
    into[i] = within(0, nearest(single(inverse * single((values[i] ?? 0) - low))), most);
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

/** The nearest whole number of a single with a magnitude below 2^22, ties to even. */
export const nearest = (value: number): number => single(value + 12_582_912) - 12_582_912;

export const within = (low: number, value: number, high: number): number =>
  Math.max(low, Math.min(high, value));

/** Writes a number as binary16, and returns it as it can be read. */
export function setHalf(block: DataView, at: number, value: number): number {
  const half = encodeFloat16(Float32Array.of(value))[0] ?? 0;
  block.setUint16(at, half, true);
  return decodeHalf(half);
}
