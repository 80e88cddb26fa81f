import type { JsonObject } from '../../core/index.ts';
import { ConfigFields } from '../config-fields.ts';
import { parseDecoder } from '../decoder-fields.ts';
import type { Family, ModelSizes, ParameterSpec } from '../family.ts';
import { eachBlock, layerNormSpecs, matrix, projection, zeros } from '../parameter-specs.ts';
import type { Rotary } from '../rotary/rotary-config.ts';
import { withoutWindows } from '../windows.ts';

/** Phi-1, Phi-1.5 and Phi-2. */
export interface PhiConfig extends ModelSizes {
  readonly family: 'phi';
  /** Added to the variance in layer norm. */
  readonly epsilon: number;
  readonly rotary: Rotary;
}

export const phi: Family<PhiConfig> = {
  parameters: phiParameters,
  // PhiForCausalLM prefixes names with `model.`, PhiModel does not.
  aliases: (name) => [name, name.replace(/^model\./, '')],
  // Wavelengths, which older versions of transformers stored with the weights.
  ignored: (name) => /^(model\.)?(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq$/.test(name),
  tiedHead: { head: 'lm_head.weight', embedding: 'model.embed_tokens.weight' },
  embeddings: ['model.embed_tokens.weight'],
  inputFirst: false,
  gated: false,
  dropout: {
    fields: { embedding: 'embd_pdrop', attention: 'attention_dropout', residual: 'resid_pdrop' },
    absent: 0,
    attentionOnly: false,
  },
};

export function parsePhiConfig(path: string, json: JsonObject): PhiConfig {
  const fields = new ConfigFields(path, json);
  const { sizes, notes } = parseDecoder(path, fields, { share: 0.5 });
  // Names of one function: GELU with tanh.
  fields.oneOf('hidden_act', ['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast', 'gelu_accurate']);
  fields.oneOf('qk_layernorm', [false]);
  return {
    family: 'phi',
    ...sizes,
    windows: withoutWindows(fields, sizes.layers),
    epsilon: fields.positive('layer_norm_eps', 1e-5),
    tied: fields.flag('tie_word_embeddings', false),
    json,
    notes: [...notes, ...fields.judgeOthers()],
  };
}

/** The parameters of PhiForCausalLM; its linear weights are [out, in]. */
function phiParameters(config: PhiConfig): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, hiddenSize, intermediateSize, layers, tied } = config;
  const [queries, keys] = [config.heads * config.headDim, config.keyValueHeads * config.headDim];
  return new Map<string, ParameterSpec>([
    matrix('model.embed_tokens.weight', [vocabularySize, hiddenSize]),
    ...eachBlock('model.layers', layers, (block) => [
      ...layerNormSpecs(`${block}.input_layernorm`, hiddenSize),
      ...projection(`${block}.self_attn.q_proj`, { shape: [queries, hiddenSize], bias: true }),
      ...projection(`${block}.self_attn.k_proj`, { shape: [keys, hiddenSize], bias: true }),
      ...projection(`${block}.self_attn.v_proj`, { shape: [keys, hiddenSize], bias: true }),
      ...projection(`${block}.self_attn.dense`, { shape: [hiddenSize, queries], bias: true }),
      ...projection(`${block}.mlp.fc1`, { shape: [intermediateSize, hiddenSize], bias: true }),
      ...projection(`${block}.mlp.fc2`, { shape: [hiddenSize, intermediateSize], bias: true }),
    ]),
    ...layerNormSpecs('model.final_layernorm', hiddenSize),
    ...(tied ? [] : [matrix('lm_head.weight', [vocabularySize, hiddenSize])]),
    zeros('lm_head.bias', vocabularySize),
  ]);
}
