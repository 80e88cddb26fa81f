import { type ConfigFields, maxLayers } from './config-fields.ts';
import type { ModelSizes } from './family.ts';
import { parseRotary, type Rotary, rotaryContext } from './rotary/rotary-config.ts';

/** What a family's config.json leaves out, and what it allows. */
export interface DecoderDefaults {
  /** `num_key_value_heads` where the field is absent; the number of heads if undefined. */
  readonly keyValueHeads?: number | undefined;
  /** `head_dim` where the field is absent; a head's share of the hidden size if undefined. */
  readonly headDim?: number | undefined;
  /** The base of the wavelengths where the field is absent. */
  readonly theta?: number | undefined;
  /** The share of a head that is rotated where the field is absent; undefined if it is always all of it. */
  readonly share?: number | undefined;
  /** The fields that have both. */
  readonly rotaryNames?: { readonly theta: string; readonly share: string };
}

type DecoderSizes = Omit<ModelSizes, 'windows' | 'tied' | 'json' | 'notes' | 'rotary'>;

/** Reads the sizes and the rotary positions that most families name alike. `path` is for messages. */
export function parseDecoder(
  path: string,
  fields: ConfigFields,
  defaults: DecoderDefaults = {},
): { readonly sizes: DecoderSizes & { readonly rotary: Rotary }; readonly notes: readonly string[] } {
  const { share, theta, rotaryNames } = defaults;
  const hiddenSize = fields.count('hidden_size');
  const heads = fields.count('num_attention_heads');
  const keyValueHeads = fields.countOrNull('num_key_value_heads', defaults.keyValueHeads) ?? heads;
  const headDim = fields.optionalCount('head_dim') ?? defaults.headDim ?? hiddenSize / heads;
  if (heads % keyValueHeads !== 0)
    throw fields.problem('num_key_value_heads', `it does not divide ${heads} heads`);
  if (headDim % 2 !== 0) throw fields.problem('num_attention_heads', 'heads of an even dimension are needed');
  const positions = fields.count('max_position_embeddings');
  const { rotary, notes } = parseRotary({
    path,
    fields,
    headDim,
    positions,
    share,
    theta,
    names: rotaryNames,
  });
  const sizes = {
    vocabularySize: fields.count('vocab_size'),
    contextLength: rotaryContext(rotary, positions),
    hiddenSize,
    intermediateSize: fields.count('intermediate_size'),
    layers: fields.count('num_hidden_layers', maxLayers),
    heads,
    keyValueHeads,
    headDim,
    rotary,
  };
  return { sizes, notes };
}
