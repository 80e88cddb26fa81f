import { UserError } from '../../core/index.ts';
import type { GgufValue } from '../../formats/index.ts';
import type { Rotary } from '../rotary/rotary-config.ts';
import { rotaryFrequencies } from '../rotary/rotary-frequencies.ts';

/** A tensor that is no parameter of the model. */
export interface ExtraTensor {
  readonly name: string;
  readonly values: Float32Array;
}

/** How rotary positions are scaled, as a GGUF file says it. */
interface RopeScalingFields {
  /** After the name of the architecture. */
  readonly fields: Readonly<Record<string, GgufValue>>;
  /** Factors of the wavelengths, one for each rotated pair. */
  readonly factors: readonly ExtraTensor[];
  /** For the user. */
  readonly notes: readonly string[];
}

const unscaled: RopeScalingFields = { fields: {}, factors: [], notes: [] };

/** Throws a UserError if llama.cpp does not scale positions in that way. */
export function ropeScalingFields(rotary: Rotary | undefined): RopeScalingFields {
  if (rotary === undefined) return unscaled;
  const { scaling } = rotary;
  switch (scaling.kind) {
    case 'default':
      return unscaled;
    case 'linear':
      return { ...unscaled, fields: { ...kindOf('linear'), ...factorOf(scaling.factor) } };
    case 'yarn':
      return { ...unscaled, fields: yarnFields(scaling) };
    case 'llama3':
      // llama.cpp reads no parameters of this way, only by how much they stretch each pair.
      return { ...unscaled, factors: [{ name: 'rope_freqs.weight', values: stretchOf(rotary) }] };
    case 'longrope': {
      const { shortFactors, longFactors, originalMaxPositionEmbeddings: original, attentionFactor } = scaling;
      return {
        fields: { ...originalLength(original), 'rope.scaling.attn_factor': { float32: attentionFactor } },
        factors: [
          { name: 'rope_factors_long.weight', values: Float32Array.from(longFactors) },
          { name: 'rope_factors_short.weight', values: Float32Array.from(shortFactors) },
        ],
        notes: [
          `llama.cpp takes the factors for long texts if its context (--ctx-size) is more than ${original} tokens, even for short texts`,
        ],
      };
    }
    case 'dynamic':
      throw new UserError({
        code: 'unsupported-model',
        message:
          'the model stretches positions by the length of a text (`dynamic`), which llama.cpp does not',
        help: 'export it with --format hf',
      });
    default:
      return scaling satisfies never;
  }
}

function stretchOf(rotary: Rotary): Float32Array {
  const scaled = rotaryFrequencies(rotary, 0);
  const plain = rotaryFrequencies({ ...rotary, scaling: { kind: 'default' } }, 0);
  return plain.map((frequency, pair) => frequency / (scaled[pair] ?? 0));
}

type Yarn = Extract<Rotary['scaling'], { kind: 'yarn' }>;

/** llama.cpp computes the attention factor of the paper, and multiplies it by the file's. */
function yarnFields(scaling: Yarn): RopeScalingFields['fields'] {
  const { factor, originalMaxPositionEmbeddings, betaFast, betaSlow, truncate, attentionFactor } = scaling;
  if (!truncate)
    throw new UserError({
      code: 'unsupported-model',
      message: 'the model’s `rope_scaling` has `truncate: false`, for which GGUF has no place',
      help: 'export it with --format hf',
    });
  const own = Math.fround(attentionFactor / (0.1 * Math.log(factor) + 1));
  return {
    ...kindOf('yarn'),
    ...factorOf(factor),
    ...originalLength(originalMaxPositionEmbeddings),
    ...(own !== 1 && { 'rope.scaling.attn_factor': { float32: own } }),
    ...(betaFast !== 32 && { 'rope.scaling.yarn_beta_fast': { float32: betaFast } }),
    ...(betaSlow !== 1 && { 'rope.scaling.yarn_beta_slow': { float32: betaSlow } }),
  };
}

const kindOf = (text: string) => ({ 'rope.scaling.type': { text } });

const factorOf = (factor: number) => ({ 'rope.scaling.factor': { float32: factor } });

const originalLength = (length: number) => ({ 'rope.scaling.original_context_length': { uint32: length } });
