import type { Rotary } from './rotary-config.ts';

/** The frequencies f_i, i < R / 2, of the pairs of a head in a text of N tokens. */
export function rotaryFrequencies(rotary: Rotary, textLength: number): Float32Array {
  const known = cached.get(rotary) ?? new Map<number, Float32Array>();
  cached.set(rotary, known);
  const key = frequencyLength(rotary, textLength);
  const frequencies = known.get(key) ?? computeFrequencies(rotary, key);
  if (known.size < mostCached) known.set(key, frequencies);
  return frequencies;
}

const cached = new WeakMap<Rotary, Map<number, Float32Array>>();
const mostCached = 4096;

/** One length for all lengths with the same frequencies. */
function frequencyLength({ scaling }: Rotary, textLength: number): number {
  switch (scaling.kind) {
    case 'dynamic':
      return Math.max(textLength, scaling.originalMaxPositionEmbeddings);
    case 'longrope':
      return (
        scaling.originalMaxPositionEmbeddings + Number(textLength > scaling.originalMaxPositionEmbeddings)
      );
    default:
      return 0;
  }
}

/** The formulas of the papers named below, in transformers' form and precision. */
function computeFrequencies(rotary: Rotary, textLength: number): Float32Array {
  const { base, scaling } = rotary;
  switch (scaling.kind) {
    case 'default':
      return plainFrequencies(rotary, base);
    case 'linear': // Chen et al. 2023, arXiv:2306.15595
      return plainFrequencies(rotary, base).map((frequency) => frequency / scaling.factor);
    case 'dynamic': {
      // "NTK-aware", with the factor that this text needs (Peng et al. 2023, arXiv:2309.00071, section 3.3).
      const stretch =
        (scaling.factor * textLength) / scaling.originalMaxPositionEmbeddings - (scaling.factor - 1);
      return plainFrequencies(rotary, base * stretch ** (rotary.rotaryDim / (rotary.rotaryDim - 2)));
    }
    case 'yarn':
      return yarnFrequencies(rotary, scaling);
    case 'llama3':
      return plainFrequencies(rotary, base).map((frequency) => llama3Frequency(frequency, scaling));
    case 'longrope': {
      // Ding et al. 2024, arXiv:2402.13753
      const factors =
        textLength > scaling.originalMaxPositionEmbeddings ? scaling.longFactors : scaling.shortFactors;
      return wavelengths(rotary, base).map(
        (length, pair) => 1 / Math.fround(Math.fround(factors[pair] ?? 1) * length),
      );
    }
    default:
      return scaling satisfies never;
  }
}

/** base^(2i / R): the wavelength divided by 2 pi. */
const wavelengths = ({ rotaryDim }: Rotary, base: number): Float32Array =>
  Float32Array.from({ length: rotaryDim / 2 }, (_, pair) => base ** ((2 * pair) / rotaryDim));

const plainFrequencies = (rotary: Rotary, base: number): Float32Array =>
  wavelengths(rotary, base).map((length) => 1 / length);

/** YaRN (Peng et al. 2023, arXiv:2309.00071, section 3.2): fast pairs are unchanged, slow pairs stretched, with a ramp between. */
function yarnFrequencies(
  rotary: Rotary,
  scaling: Extract<Rotary['scaling'], { kind: 'yarn' }>,
): Float32Array {
  const { rotaryDim, base } = rotary;
  const { factor, originalMaxPositionEmbeddings, betaFast, betaSlow, truncate } = scaling;
  const pairWithRotations = (times: number) =>
    (rotaryDim * Math.log(originalMaxPositionEmbeddings / (times * 2 * Math.PI))) / (2 * Math.log(base));
  const [first, last] = [pairWithRotations(betaFast), pairWithRotations(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, rotaryDim - 1);
  const extent = high === low ? 0.001 : high - low;
  return wavelengths(rotary, base).map((length, pair) => {
    const kept = 1 - Math.min(Math.max((pair - low) / extent, 0), 1);
    return (1 / (factor * length)) * (1 - kept) + (1 / length) * kept;
  });
}

/** Llama 3.1: pairs with long wavelengths are slowed down, pairs with short ones unchanged, with a ramp between. */
function llama3Frequency(frequency: number, scaling: Extract<Rotary['scaling'], { kind: 'llama3' }>): number {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositionEmbeddings } = scaling;
  const rotations = (originalMaxPositionEmbeddings * frequency) / (2 * Math.PI);
  if (rotations < lowFrequencyFactor) return frequency / factor;
  if (rotations > highFrequencyFactor) return frequency;
  const smooth = (rotations - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
