import { nearest, setHalf, single, within } from './k-quants.ts';

const codes = new Uint8Array(256);

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
