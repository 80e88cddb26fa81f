import { ConfigFields } from '../config-fields.ts';

/** How a model's heads are rotated by position. */
export interface Rotary {
  /** Elements of a head that are rotated, R; even. */
  readonly rotaryDim: number;
  /** The base of the wavelengths. */
  readonly base: number;
  readonly scaling: RotaryScaling;
}

/** How wavelengths are stretched for texts longer than those of the original training. */
type RotaryScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'dynamic';
      readonly factor: number;
      /** Beyond this length, the stretch grows with the text. */
      readonly originalMaxPositionEmbeddings: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalMaxPositionEmbeddings: number;
      /** Pairs with more rotations than this in a text of the original length are unchanged. */
      readonly betaFast: number;
      /** Pairs with fewer rotations than this are stretched by the whole factor. */
      readonly betaSlow: number;
      /** Whether the ramp between them starts and ends at whole pairs. */
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
      /** One for each pair, for texts of up to the original length. */
      readonly shortFactors: readonly number[];
      /** The same for longer texts. */
      readonly longFactors: readonly number[];
      readonly originalMaxPositionEmbeddings: number;
      readonly attentionFactor: number;
    };

interface RotaryFields {
  /** For messages. */
  readonly path: string;
  readonly fields: ConfigFields;
  readonly headDim: number;
  /** `max_position_embeddings`. */
  readonly positions: number;
  /** The share of a head that is rotated where no field says so; undefined if it is always all of it. */
  readonly share?: number | undefined;
  /** The base where no field says so. */
  readonly theta?: number | undefined;
  /** The fields that have both. */
  readonly names?: { readonly theta: string; readonly share: string } | undefined;
}

/** Reads `rope_theta` and `rope_scaling`, or the object `rope_parameters` in which transformers 5 keeps both. */
export function parseRotary(options: RotaryFields): {
  readonly rotary: Rotary;
  readonly notes: readonly string[];
} {
  const { path, fields, headDim, positions } = options;
  const names = options.names ?? { theta: 'rope_theta', share: 'partial_rotary_factor' };
  const theta = fields.positive(names.theta, options.theta ?? 10_000);
  const share = options.share === undefined ? 1 : fields.positive(names.share, options.share);
  if (options.names !== undefined) {
    // transformers 4 writes both under these names too, but does not read them.
    fields.oneOf('rope_theta', [theta]);
    fields.oneOf('partial_rotary_factor', [share]);
  }
  const original = fields.optionalCount('original_max_position_embeddings');
  const parameters = fields.optionalObject('rope_parameters');
  const scaling = fields.optionalObject('rope_scaling');
  const name = scaling === undefined ? 'rope_parameters' : 'rope_scaling';
  const inner = new ConfigFields(`${path} in ${name}`, scaling ?? parameters ?? {});
  const base = inner.positive('rope_theta', theta);
  const rotaryDim = Math.trunc(
    headDim * (options.share === undefined ? 1 : inner.positive('partial_rotary_factor', share)),
  );
  if (rotaryDim < 2 || rotaryDim > headDim || rotaryDim % 2 !== 0)
    throw fields.problem(
      'partial_rotary_factor',
      `${rotaryDim} of ${headDim} elements of a head cannot be rotated`,
    );
  const scaled = parseScaling({ inner, rotaryDim, positions, original });
  const isScaledFrom = 'originalMaxPositionEmbeddings' in scaled && scaled.kind !== 'dynamic';
  if (original !== undefined && isScaledFrom && scaled.originalMaxPositionEmbeddings !== original)
    throw fields.problem(
      'original_max_position_embeddings',
      `its ${name} has ${scaled.originalMaxPositionEmbeddings}`,
    );
  return { rotary: { rotaryDim, base, scaling: scaled }, notes: inner.judgeOthers(`${name}.`) };
}

/** The longest text: scaling by a factor extends it beyond `max_position_embeddings`. */
export function rotaryContext({ scaling }: Rotary, positions: number): number {
  switch (scaling.kind) {
    case 'linear':
    case 'dynamic':
      return Math.floor(positions * scaling.factor);
    case 'yarn':
      return Math.max(positions, Math.floor(scaling.originalMaxPositionEmbeddings * scaling.factor));
    default:
      return positions;
  }
}

function parseScaling({
  inner,
  rotaryDim,
  positions,
  original,
}: {
  readonly inner: ConfigFields;
  readonly rotaryDim: number;
  readonly positions: number;
  /** `original_max_position_embeddings` outside of the object, which takes precedence. */
  readonly original: number | undefined;
}): RotaryScaling {
  const kind = inner.choice('rope_type', { older: 'type', supported: kinds });
  const factor = () => inner.atLeastOne('factor');
  const originalMaxPositionEmbeddings = () =>
    inner.optionalCount('original_max_position_embeddings') ?? positions;
  switch (kind) {
    case 'default':
      inner.oneOf('factor', [1]);
      inner.optionalCount('original_max_position_embeddings');
      return { kind };
    case 'linear':
      inner.optionalCount('original_max_position_embeddings');
      return { kind, factor: factor() };
    case 'dynamic':
      // transformers starts from `max_position_embeddings` whatever this says.
      inner.optionalCount('original_max_position_embeddings');
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
      const length = original ?? originalMaxPositionEmbeddings();
      inner.optionalCount('original_max_position_embeddings');
      const stretch = inner.positive('factor', positions / length);
      return {
        kind: 'longrope',
        shortFactors: inner.numbers('short_factor', rotaryDim / 2),
        longFactors: inner.numbers('long_factor', rotaryDim / 2),
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
  const [mscale, mscaleAllDim] = [inner.optionalPositive('mscale'), inner.optionalPositive('mscale_all_dim')];
  inner.flag('finetuned', false); // says how the model was made
  const scale = (mscale: number) => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1);
  const attentionFactor =
    mscale !== undefined && mscaleAllDim !== undefined ? scale(mscale) / scale(mscaleAllDim) : scale(1);
  return {
    kind: 'yarn',
    factor,
    originalMaxPositionEmbeddings,
    betaFast: inner.positive('beta_fast', 32),
    betaSlow: inner.positive('beta_slow', 1),
    truncate: inner.flag('truncate', true),
    attentionFactor: inner.positive('attention_factor', attentionFactor),
  };
}
