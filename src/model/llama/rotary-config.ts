import { ConfigFields } from '../config-fields.ts';

/** How the heads of a model are turned by their positions. */
export interface Rotary {
  /** Elements of a head that turn, R; even. */
  readonly dim: number;
  /** The base of the wavelengths. */
  readonly base: number;
  readonly scaling: RotaryScaling;
}

/** How the wavelengths are stretched for texts that are longer than those of the first training. */
type RotaryScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'dynamic';
      readonly factor: number;
      /** Longer texts are stretched, the more the longer. */
      readonly originalMaxPositionEmbeddings: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalMaxPositionEmbeddings: number;
      /** Pairs that turn more often than this in a text of the trained length stay as they are. */
      readonly betaFast: number;
      /** Pairs that turn less often than this are stretched by the whole factor. */
      readonly betaSlow: number;
      /** Whether the ramp between them begins and ends at whole pairs. */
      readonly truncate: boolean;
      readonly attentionFactor: number;
    }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    }
  | {
      readonly kind: 'longrope';
      /** One for each pair, in texts of up to the trained length. */
      readonly shortFactors: readonly number[];
      /** The same in longer texts. */
      readonly longFactors: readonly number[];
      readonly originalMaxPositionEmbeddings: number;
      readonly attentionFactor: number;
    };

interface RotarySource {
  /** For messages. */
  readonly path: string;
  readonly fields: ConfigFields;
  readonly headDim: number;
  /** `max_position_embeddings`. */
  readonly positions: number;
  /** Whether a part of a head may stay as it is. */
  readonly partial: boolean;
}

/** Reads `rope_theta` and `rope_scaling`, or the object `rope_parameters` in which transformers 5 keeps both. */
export function parseRotary({ path, fields, headDim, positions, partial }: RotarySource): Rotary {
  const theta = fields.positive('rope_theta', 10_000);
  const share = partial ? fields.positive('partial_rotary_factor', 1) : 1;
  const trained = partial ? fields.optionalCount('original_max_position_embeddings') : undefined;
  const parameters = fields.optionalObject('rope_parameters');
  const scaling = fields.optionalObject('rope_scaling');
  const name = scaling === undefined ? 'rope_parameters' : 'rope_scaling';
  const inner = new ConfigFields(`${path} in ${name}`, scaling ?? parameters ?? {});
  const base = inner.positive('rope_theta', theta);
  const dim = Math.trunc(headDim * (partial ? inner.positive('partial_rotary_factor', share) : share));
  if (dim < 2 || dim > headDim || dim % 2 !== 0)
    throw fields.problem('partial_rotary_factor', `${dim} of ${headDim} elements of a head cannot turn`);
  const rotary = { dim, base, scaling: parseScaling({ inner, dim, positions, trained }) };
  inner.refuseOthers([]);
  return rotary;
}

interface ScalingSource {
  readonly inner: ConfigFields;
  readonly dim: number;
  readonly positions: number;
  /** What stands outside of the object counts first. */
  readonly trained: number | undefined;
}

function parseScaling({ inner, dim, positions, trained }: ScalingSource): RotaryScaling {
  const kind = inner.choice('rope_type', { older: 'type', supported: kinds });
  const factor = () => inner.atLeastOne('factor');
  const originalMaxPositionEmbeddings = () =>
    inner.optionalCount('original_max_position_embeddings') ?? positions;
  switch (kind) {
    case 'default':
      inner.optionalCount('original_max_position_embeddings');
      return { kind };
    case 'linear':
      return { kind, factor: factor() };
    case 'dynamic':
      return { kind, factor: factor(), originalMaxPositionEmbeddings: positions };
    case 'yarn':
      return parseYarn(inner, {
        factor: factor(),
        originalMaxPositionEmbeddings: originalMaxPositionEmbeddings(),
      });
    case 'llama3':
      return {
        kind,
        factor: factor(),
        lowFrequencyFactor: inner.positive('low_freq_factor', Number.NaN),
        highFrequencyFactor: inner.positive('high_freq_factor', Number.NaN),
        originalMaxPositionEmbeddings: originalMaxPositionEmbeddings(),
      };
    case 'su':
    case 'longrope': {
      const length = trained ?? originalMaxPositionEmbeddings();
      inner.optionalCount('original_max_position_embeddings');
      const stretch = inner.positive('factor', positions / length);
      const factors = { shortFactors: 'short_factor', longFactors: 'long_factor' } as const;
      return {
        kind: 'longrope',
        shortFactors: inner.numbers(factors.shortFactors, dim / 2),
        longFactors: inner.numbers(factors.longFactors, dim / 2),
        originalMaxPositionEmbeddings: length,
        attentionFactor: inner.positive(
          'attention_factor',
          stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(length)),
        ),
      };
    }
    default:
      return kind satisfies never;
  }
}

const kinds = ['default', 'linear', 'dynamic', 'yarn', 'llama3', 'longrope', 'su'] as const;

function parseYarn(
  inner: ConfigFields,
  { factor, originalMaxPositionEmbeddings }: { factor: number; originalMaxPositionEmbeddings: number },
): RotaryScaling {
  const [own, overall] = [inner.optionalPositive('mscale'), inner.optionalPositive('mscale_all_dim')];
  const weight = (each: number) => (factor <= 1 ? 1 : 0.1 * each * Math.log(factor) + 1);
  const usual = own !== undefined && overall !== undefined ? weight(own) / weight(overall) : weight(1);
  return {
    kind: 'yarn',
    factor,
    originalMaxPositionEmbeddings,
    betaFast: inner.positive('beta_fast', 32),
    betaSlow: inner.positive('beta_slow', 1),
    truncate: inner.flag('truncate', true),
    attentionFactor: inner.positive('attention_factor', usual),
  };
}
