import { expect, test } from 'vitest';
import { parseModelConfig } from '../../src/model/model-config.ts';

/** As openai-community/gpt2 has it. */
const gpt2 = {
  activation_function: 'gelu_new',
  architectures: ['GPT2LMHeadModel'],
  attn_pdrop: 0.1,
  bos_token_id: 50256,
  embd_pdrop: 0.1,
  eos_token_id: 50256,
  initializer_range: 0.02,
  layer_norm_epsilon: 1e-5,
  model_type: 'gpt2',
  n_ctx: 1024,
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  n_positions: 1024,
  resid_pdrop: 0.1,
  summary_activation: null,
  summary_first_dropout: 0.1,
  summary_proj_to_labels: true,
  summary_type: 'cls_index',
  summary_use_proj: true,
  task_specific_params: { 'text-generation': { do_sample: true, max_length: 50 } },
  vocab_size: 50257,
};

test("GPT-2's own configurations are read", () => {
  const medium = {
    ...gpt2,
    n_embd: 1024,
    n_head: 16,
    n_layer: 24,
    n_special: 0,
    predict_special_tokens: true,
  };
  expect(parseModelConfig('config.json', gpt2)).toEqual({
    family: 'gpt2',
    vocabularySize: 50257,
    contextLength: 1024,
    width: 768,
    layers: 12,
    heads: 12,
    keyValueHeads: 12,
    headWidth: 64,
    innerWidth: 3072,
    epsilon: 1e-5,
    tied: true,
    json: gpt2,
  });
  expect(parseModelConfig('config.json', medium)).toMatchObject({ width: 1024, heads: 16, layers: 24 });
});

test('a misspelt field is told with the one that was meant', () => {
  const misspelt = { ...gpt2, tie_word_embedding: false };
  expect(() => parseModelConfig('m/config.json', misspelt)).toThrow(
    expect.objectContaining({
      code: 'unsupported-model',
      message: 'm/config.json has false as `tie_word_embedding`: this field is not supported',
      help: 'did you mean `tie_word_embeddings`?',
    }),
  );
});

/** As HuggingFaceTB/SmolLM2-135M has it. */
const smolLm2 = {
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.0,
  bos_token_id: 0,
  eos_token_id: 0,
  hidden_act: 'silu',
  hidden_size: 576,
  initializer_range: 0.041666666666666664,
  intermediate_size: 1536,
  is_llama_config: true,
  max_position_embeddings: 8192,
  model_type: 'llama',
  num_attention_heads: 9,
  num_hidden_layers: 30,
  num_key_value_heads: 3,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_interleaved: false,
  rope_scaling: null,
  rope_theta: 100_000,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  transformers_version: '4.40.1',
  use_cache: true,
  vocab_size: 49_152,
};

test("SmolLM2's configuration is read, and the same with transformers 5's object for its positions", () => {
  const expected = {
    family: 'llama',
    vocabularySize: 49_152,
    contextLength: 8192,
    width: 576,
    layers: 30,
    heads: 9,
    keyValueHeads: 3,
    headWidth: 64,
    innerWidth: 1536,
    epsilon: 1e-5,
    rotaryBase: 100_000,
    tied: true,
  };
  expect(parseModelConfig('config.json', smolLm2)).toEqual({ ...expected, json: smolLm2 });
  const { rope_theta, rope_scaling: _, ...others } = smolLm2;
  const newer = { ...others, rope_parameters: { rope_theta, rope_type: 'default' } };
  expect(parseModelConfig('config.json', newer)).toEqual({ ...expected, json: newer });
});

test('scaled rotary positions are refused, not ignored', () => {
  const scaled = { ...smolLm2, rope_scaling: { rope_type: 'llama3', factor: 8 } };
  expect(() => parseModelConfig('config.json', scaled)).toThrow('as `rope_scaling`: only null is supported');
  const newer = { ...smolLm2, rope_parameters: { rope_type: 'yarn', rope_theta: 1e5 } };
  expect(() => parseModelConfig('m', newer)).toThrow(
    'm in rope_parameters has "yarn" as `rope_type`: only "default" is supported',
  );
});
