import type { JsonObject } from '../../core/index.ts';
import { type GgufFile, shortestDecimal, unsupportedGguf } from '../../formats/index.ts';
import type { ConfigFields } from '../config-fields.ts';
import { rotaryFrequencies } from '../rotary/rotary-frequencies.ts';

/** What the wavelengths of a head's pairs are multiplied by, from tensors of a file. */
export interface RotaryFactors {
  /** For all texts: Llama 3.1. */
  readonly all?: readonly number[] | undefined;
  /** For texts of up to the original length, and for longer ones: LongRoPE. */
  readonly short?: readonly number[] | undefined;
  readonly long?: readonly number[] | undefined;
}

const tensors = {
  all: 'rope_freqs.weight',
  short: 'rope_factors_short.weight',
  long: 'rope_factors_long.weight',
} as const satisfies Record<keyof RotaryFactors, string>;

/** The tensors that are not parameters, but say how heads are rotated. */
export const rotaryTensors: readonly string[] = Object.values(tensors);

/** More than half the dimensions of any head. */
const mostFactors = 4096;

export async function readRotaryFactors(
  file: Pick<GgufFile, 'path' | 'tensors' | 'read'>,
): Promise<RotaryFactors> {
  const read = async (name: string) => {
    const shape = file.tensors.get(name)?.shape;
    if (shape === undefined) return undefined;
    if (shape.length === 1 && (shape[0] ?? 0) <= mostFactors)
      return Array.from(await file.read(name), shortestDecimal);
    throw unsupportedGguf(file.path, `has \`${name}\` of shape [${shape}]: one list of factors is needed`);
  };
  const { all, short, long } = tensors;
  return { all: await read(all), short: await read(short), long: await read(long) };
}

interface RopeScaling {
  /** The start of the keys. */
  readonly architecture: string;
  readonly factors?: RotaryFactors | undefined;
  readonly contextLength: number;
  /** The base of the wavelengths. */
  readonly base: number;
  /** Elements of a head that are rotated. */
  readonly rotaryDim: number;
}

/** How an architecture's rotary positions are scaled, as config.json has it. Other ways are refused. */
export function ropeScaling(fields: ConfigFields, scaling: RopeScaling): JsonObject {
  const { architecture, factors = {} } = scaling;
  const key = (name: string) => `${architecture}.rope.scaling.${name}`;
  const type = fields.word(key('type'), ['none', 'linear', 'yarn', 'longrope']);
  const { all, short, long } = factors;
  const isLong = short !== undefined || long !== undefined || type === 'longrope';
  if ((isLong || all !== undefined) && !['none', isLong ? 'longrope' : 'none'].includes(type))
    throw fields.problem(key('type'), 'the file also has factors of wavelengths');
  if (isLong) return longRope(fields, scaling);
  fields.oneOf(key('attn_factor'), [1]);
  if (type === 'none') return all === undefined ? {} : scaledByFactors(all, scaling);
  const factor = fields.atLeastOne(key('factor'));
  fields.oneOf(key('finetuned'), [true, false]);
  if (type === 'linear') return { rope_scaling: { rope_type: type, factor } };
  fields.oneOf(key('yarn_ext_factor'), [1]);
  fields.oneOf(key('yarn_attn_factor'), [1]);
  const [fast, slow] = [
    fields.optionalPositive(key('yarn_beta_fast')),
    fields.optionalPositive(key('yarn_beta_slow')),
  ];
  return {
    rope_scaling: {
      rope_type: type,
      factor,
      original_max_position_embeddings: fields.count(key('original_context_length')),
      ...(fast !== undefined && { beta_fast: fast }),
      ...(slow !== undefined && { beta_slow: slow }),
    },
  };
}

/** LongRoPE; config.json has the original length beside `rope_scaling`. */
function longRope(fields: ConfigFields, { architecture, factors, contextLength }: RopeScaling): JsonObject {
  const key = (name: string) => `${architecture}.rope.scaling.${name}`;
  const { short, long } = factors ?? {};
  if (short === undefined || long === undefined)
    throw fields.problem(key('type'), `\`${tensors.short}\` and \`${tensors.long}\` are needed`);
  const original = fields.count(key('original_context_length'));
  const attention = fields.positive(key('attn_factor'), 1);
  const stretch = contextLength / original;
  const usual = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original));
  return {
    original_max_position_embeddings: original,
    rope_scaling: {
      type: 'longrope',
      short_factor: short,
      long_factor: long,
      // Phi-3's configuration has no place for it, and needs none.
      ...(isClose(attention, usual) ? {} : { attention_factor: attention }),
    },
  };
}

const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.abs(b);

/**
 * Llama 3.1's file has the factors that its four numbers give: they are found again, so that config.json is the original's.
 * Other factors are a LongRoPE that makes no difference between short and long texts.
 */
function scaledByFactors(all: readonly number[], scaling: RopeScaling): JsonObject {
  const found = llama3Scaling(all, scaling);
  if (found !== undefined) return { rope_scaling: found };
  return {
    rope_scaling: {
      rope_type: 'longrope',
      factor: 1,
      attention_factor: 1,
      original_max_position_embeddings: scaling.contextLength,
      short_factor: all,
      long_factor: all,
    },
  };
}

/** Those of all published models. */
const [lowFrequencyFactor, highFrequencyFactor] = [1, 4];

function llama3Scaling(all: readonly number[], { base, rotaryDim }: RopeScaling): JsonObject | undefined {
  const factor = Math.max(...all);
  const plain = rotaryFrequencies({ rotaryDim, base, scaling: { kind: 'default' } }, 0);
  const ramp = all.findIndex((each) => each > 1.001 && each < 0.999 * factor);
  // Of a pair on the ramp, from the factor 1 / ((1 - s) / factor + s) to its rotations in the original length.
  const share = (1 / (all[ramp] ?? 1) - 1 / factor) / (1 - 1 / factor);
  const rotations = lowFrequencyFactor + share * (highFrequencyFactor - lowFrequencyFactor);
  const originalMaxPositionEmbeddings = Math.round((rotations * 2 * Math.PI) / (plain[ramp] ?? Number.NaN));
  if (!(originalMaxPositionEmbeddings >= 1)) return undefined;
  const kind = 'llama3';
  const numbers = {
    kind,
    factor,
    lowFrequencyFactor,
    highFrequencyFactor,
    originalMaxPositionEmbeddings,
  } as const;
  const scaled = rotaryFrequencies({ rotaryDim, base, scaling: numbers }, 0);
  const agrees = all.every((each, pair) => isClose(each * (scaled[pair] ?? 0), plain[pair] ?? 0));
  if (!agrees || all.length !== plain.length) return undefined;
  return {
    rope_type: kind,
    factor,
    low_freq_factor: lowFrequencyFactor,
    high_freq_factor: highFrequencyFactor,
    original_max_position_embeddings: originalMaxPositionEmbeddings,
  };
}
