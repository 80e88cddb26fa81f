import type { JsonObject } from '../../core/index.ts';
import { ConfigFields } from '../config-fields.ts';
import { parseDecoder } from '../decoder-fields.ts';
import type { Family, ModelSizes, ParameterSpec } from '../family.ts';
import { llama } from '../llama/llama-config.ts';
import { eachBlock, matrix, ones, projection } from '../parameter-specs.ts';
import type { Rotary } from '../rotary/rotary-config.ts';
import { withoutWindows } from '../windows.ts';

/** OLMo 2 (OLMo et al. 2025). */
export interface Olmo2Config extends ModelSizes {
  readonly family: 'olmo2';
  /** Added to the mean square in the norms. */
  readonly epsilon: number;
  readonly rotary: Rotary;
  /** Whether the projections of attention have biases. */
  readonly attentionBias: boolean;
}

/** Its names are Llama's. */
export const olmo2: Family<Olmo2Config> = { ...llama, parameters: olmo2Parameters };

export function parseOlmo2Config(path: string, json: JsonObject): Olmo2Config {
  const fields = new ConfigFields(path, json);
  const { sizes, notes } = parseDecoder(path, fields);
  fields.oneOf('hidden_act', ['silu', 'swish']);
  return {
    family: 'olmo2',
    ...sizes,
    windows: withoutWindows(fields, sizes.layers),
    epsilon: fields.positive('rms_norm_eps', 1e-5),
    attentionBias: fields.flag('attention_bias', false),
    tied: fields.flag('tie_word_embeddings', false),
    json,
    notes: [...notes, ...fields.judgeOthers()],
  };
}

function olmo2Parameters(config: Olmo2Config): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, hiddenSize, intermediateSize, layers, tied, attentionBias: bias } = config;
  const [queries, keys] = [config.heads * config.headDim, config.keyValueHeads * config.headDim];
  return new Map<string, ParameterSpec>([
    matrix('model.embed_tokens.weight', [vocabularySize, hiddenSize]),
    ...eachBlock('model.layers', layers, (block) => [
      ...projection(`${block}.self_attn.q_proj`, { shape: [queries, hiddenSize], bias }),
      ones(`${block}.self_attn.q_norm.weight`, queries),
      ...projection(`${block}.self_attn.k_proj`, { shape: [keys, hiddenSize], bias }),
      ones(`${block}.self_attn.k_norm.weight`, keys),
      ...projection(`${block}.self_attn.v_proj`, { shape: [keys, hiddenSize], bias }),
      ...projection(`${block}.self_attn.o_proj`, { shape: [hiddenSize, queries], bias }),
      ones(`${block}.post_attention_layernorm.weight`, hiddenSize),
      matrix(`${block}.mlp.gate_proj.weight`, [intermediateSize, hiddenSize]),
      matrix(`${block}.mlp.up_proj.weight`, [intermediateSize, hiddenSize]),
      matrix(`${block}.mlp.down_proj.weight`, [hiddenSize, intermediateSize]),
      ones(`${block}.post_feedforward_layernorm.weight`, hiddenSize),
    ]),
    ones('model.norm.weight', hiddenSize),
    ...(tied ? [] : [matrix('lm_head.weight', [vocabularySize, hiddenSize])]),
  ]);
}
