import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
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
    hiddenSize: 768,
    layers: 12,
    heads: 12,
    keyValueHeads: 12,
    headDim: 64,
    windows: new Array(12).fill(undefined),
    intermediateSize: 3072,
    epsilon: 1e-5,
    tied: true,
    json: gpt2,
    notes: [],
  });
  expect(parseModelConfig('config.json', medium)).toMatchObject({ hiddenSize: 1024, heads: 16, layers: 24 });
});

test('fields about training, loading, labels and generation are ignored, whatever their values', () => {
  const others = {
    _attn_implementation_autoset: true,
    _num_labels: 1,
    attn_implementation: 'flash_attention_2',
    bad_words_ids: [[1]],
    chat_template: 'x',
    chunk_size_feed_forward: 4,
    eos_token: 'x',
    loss_type: 'x',
    classifier_dropout: 0.2,
    embedding_dropout: 0.1,
    finetuning_task: 'sst2',
    forced_eos_token_id: 3,
    gradient_checkpointing: true,
    id2label: { 0: 'A' },
    is_decoder: true,
    label2id: { A: 0 },
    max_length: 20,
    model_max_length: 2048,
    num_beams: 4,
    output_attentions: true,
    output_hidden_states: true,
    prefix: 'x',
    problem_type: 'regression',
    pruned_heads: {},
    quantization_config: null,
    repetition_penalty: 1.2,
    return_dict: true,
    router_aux_loss_coef: 0.01,
    temperature: 0.7,
    tie_encoder_decoder: false,
    tokenizer_class: 'A',
    torchscript: true,
    unsloth_fixed: true,
    unsloth_version: '2024.9',
    use_flash_attention_2: true,
    use_mrope: false,
  };
  for (const config of [gpt2, smolLm2, qwen2, mistral, phi3])
    expect(parseModelConfig('m', { ...config, ...others }).notes).toEqual([]);
});

test('a field that is not known is ignored with a note if its value turns it off', () => {
  const off = { use_qk_norm: false, softcap: null, moe_layers: [], extra: {}, experts: 0, kind: '' };
  expect(parseModelConfig('m/config.json', { ...smolLm2, ...off }).notes).toEqual([
    'fields of config.json that are not known were ignored, as their values change nothing: `use_qk_norm` (false), `softcap` (null), `moe_layers` ([]), `extra` ({}), `experts` (0), `kind` ("")',
  ]);
  expect(parseModelConfig('m', { ...gpt2, tie_word_embedding: false }).notes).toEqual([
    'fields of config.json that are not known were ignored, as their values change nothing: `tie_word_embedding` (false; did you mean `tie_word_embeddings`?)',
  ]);
  expect(parseModelConfig('m', { ...smolLm2, logits_scaling: 1, embedding_multiplier: 1 }).notes).toEqual([
    'fields of config.json that are not known were ignored, as their values change nothing: `logits_scaling` (1), `embedding_multiplier` (1)',
  ]);
  const scaling = { rope_type: 'linear', factor: 2, mrope_section: null, finetuned: false };
  expect(parseModelConfig('m', { ...smolLm2, rope_scaling: scaling }).notes).toEqual([
    'fields of config.json that are not known were ignored, as their values change nothing: `rope_scaling.mrope_section` (null), `rope_scaling.finetuned` (false)',
  ]);
});

test('all fields that could change what a model computes are reported together', () => {
  expect(() => parseModelConfig('m', { ...smolLm2, qk_norm: true, softcap: 30 })).toThrow(
    expect.objectContaining({
      code: 'unsupported-model',
      message: 'm has true as `qk_norm`, 30 as `softcap`: these fields are not supported',
      help: 'they may change what the model computes; if they do not, load a copy of the model without them',
    }),
  );
  expect(() => parseModelConfig('m', { ...smolLm2, rms_norm_epz: 1e-5 })).toThrow(
    expect.objectContaining({
      message: 'm has 0.00001 as `rms_norm_epz`: this field is not supported',
      help: 'did you mean `rms_norm_eps`?',
    }),
  );
  expect(() =>
    parseModelConfig('m', { ...smolLm2, quantization_config: { quant_method: 'awq', bits: 4 } }),
  ).toThrow(
    expect.objectContaining({
      message: 'm has {"quant_method":"awq","bits":4} as `quantization_config`: this field is not supported',
      help: 'quantized weights are read from GGUF files only: load the model that was quantized, or its GGUF file',
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
    hiddenSize: 576,
    layers: 30,
    heads: 9,
    keyValueHeads: 3,
    headDim: 64,
    intermediateSize: 1536,
    epsilon: 1e-5,
    windows: new Array(30).fill(undefined),
    rotary: { rotaryDim: 64, base: 100_000, scaling: { kind: 'default' } },
    fused: false,
    qkNorm: false,
    bias: { inputs: false, output: false, inner: false },
    tied: true,
    notes: [],
  };
  expect(parseModelConfig('config.json', smolLm2)).toEqual({ ...expected, json: smolLm2 });
  const { rope_theta, rope_scaling: _, ...others } = smolLm2;
  const newer = { ...others, rope_parameters: { rope_theta, rope_type: 'default' } };
  expect(parseModelConfig('config.json', newer)).toEqual({ ...expected, json: newer });
});

const qwen2 = {
  architectures: ['Qwen2ForCausalLM'],
  hidden_size: 896,
  intermediate_size: 4864,
  max_position_embeddings: 32_768,
  max_window_layers: 21,
  model_type: 'qwen2',
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1_000_000,
  sliding_window: 32_768,
  tie_word_embeddings: true,
  use_sliding_window: false,
  vocab_size: 151_936,
};

test("Qwen2.5's configuration is read, without its window, and stretched by YaRN as on its card", () => {
  expect(parseModelConfig('m', qwen2)).toMatchObject({
    contextLength: 32_768,
    windows: new Array(24).fill(undefined),
    bias: { inputs: true, output: false, inner: false },
  });
  const scaling = { type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 };
  expect(parseModelConfig('m', { ...qwen2, rope_scaling: scaling })).toMatchObject({
    contextLength: 131_072,
    rotary: {
      base: 1_000_000,
      scaling: { kind: 'yarn', factor: 4, betaFast: 32, attentionFactor: 0.1 * Math.log(4) + 1 },
    },
  });
});

const mistral = {
  model_type: 'mistral',
  hidden_size: 4096,
  intermediate_size: 14_336,
  max_position_embeddings: 32_768,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  vocab_size: 32_000,
};

test("Mistral's window is as in transformers: 4096 if absent, none if null", () => {
  const windowOf = (more: JsonObject) => parseModelConfig('m', { ...mistral, ...more }).windows[0];
  expect([windowOf({}), windowOf({ sliding_window: null }), windowOf({ sliding_window: 1000 })]).toEqual([
    4096,
    undefined,
    1000,
  ]);
});

test('a window of Qwen2 that begins after the last layer is none', () => {
  const windowOf = (more: JsonObject) =>
    parseModelConfig('m', { ...qwen2, use_sliding_window: true, ...more }).windows[23];
  expect([
    windowOf({ sliding_window: 4096, max_window_layers: 24 }),
    windowOf({ sliding_window: null }),
    windowOf({
      sliding_window: 4096,
      max_window_layers: 0,
      layer_types: new Array(24).fill('sliding_attention'),
    }),
  ]).toEqual([undefined, undefined, 4096]);
});

test('Qwen has a window from `max_window_layers` on, or in the layers that `layer_types` names', () => {
  const windowsOf = (more: JsonObject) =>
    parseModelConfig('m', {
      ...{ ...qwen2, num_hidden_layers: 3, max_window_layers: 2, sliding_window: 64 },
      ...{ use_sliding_window: true, ...more },
    }).windows;
  expect(windowsOf({})).toEqual([undefined, undefined, 64]);
  expect(windowsOf({ model_type: 'qwen3' })).toEqual([undefined, undefined, 64]);
  const layer_types = ['sliding_attention', 'full_attention', 'full_attention'];
  expect(windowsOf({ layer_types })).toEqual([64, undefined, undefined]);
});

const phi3 = {
  model_type: 'phi3',
  hidden_size: 3072,
  intermediate_size: 8192,
  max_position_embeddings: 131_072,
  original_max_position_embeddings: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  sliding_window: 262_144,
  auto_map: { AutoConfig: 'configuration_phi3.Phi3Config' },
  vocab_size: 32_064,
};

test("Phi-3.5's long factors are read, with the scale that follows from both lengths", () => {
  const [short_factor, long_factor] = [new Array(48).fill(1), new Array(48).fill(2)];
  const rope_scaling = { type: 'longrope', short_factor, long_factor };
  expect(parseModelConfig('m', { ...phi3, rope_scaling })).toMatchObject({
    contextLength: 131_072,
    fused: true,
    rotary: {
      rotaryDim: 96,
      scaling: {
        kind: 'longrope',
        originalMaxPositionEmbeddings: 4096,
        attentionFactor: Math.sqrt(1 + Math.log(32) / Math.log(4096)),
      },
    },
  });
});

const pythia = {
  model_type: 'gpt_neox',
  hidden_size: 768,
  intermediate_size: 3072,
  max_position_embeddings: 2048,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  vocab_size: 50_304,
};

const phi2 = { ...pythia, model_type: 'phi', num_attention_heads: 32, hidden_size: 2560 };

const gemma3 = {
  model_type: 'gemma3_text',
  hidden_size: 1152,
  intermediate_size: 6912,
  max_position_embeddings: 32_768,
  num_attention_heads: 4,
  num_hidden_layers: 7,
  num_key_value_heads: 1,
  sliding_window: 512,
  vocab_size: 262_144,
};

test('every sixth layer of Gemma 3 is global, with another base of its rotary positions', () => {
  expect(parseModelConfig('m', gemma3)).toMatchObject({
    windows: [512, 512, 512, 512, 512, undefined, 512],
    headDim: 256,
    queryScale: 1,
    rotary: { base: 1_000_000 },
    localRotary: { base: 10_000 },
    logitCap: undefined,
    tied: true,
  });
  expect(parseModelConfig('m', { ...gemma3, model_type: 'gemma2', query_pre_attn_scalar: 64 })).toMatchObject(
    {
      windows: [512, undefined, 512, undefined, 512, undefined, 512],
      queryScale: 2,
      scoreCap: 50,
      logitCap: 30,
      localRotary: { base: 10_000 },
    },
  );
});

const rope = (parameters: JsonObject) => ({ ...smolLm2, rope_scaling: parameters });

test.each<[string, JsonObject, string]>([
  [
    'another kind of rope',
    rope({ type: 'proportional' }),
    'm in rope_scaling has "proportional" as `type`: these are supported: "default", "linear", "dynamic", "yarn", "llama3", "longrope", "su"',
  ],
  [
    'two kinds of rope',
    rope({ rope_type: 'linear', type: 'dynamic', factor: 2 }),
    'm in rope_scaling has "linear" as `rope_type`: its `type` is "dynamic"',
  ],
  [
    'a rope that lacks a number',
    rope({ rope_type: 'llama3', factor: 8 }),
    'm in rope_scaling has nothing as `low_freq_factor`: a positive number is needed',
  ],
  [
    'a factor that shrinks',
    rope({ rope_type: 'linear', factor: 0.5 }),
    'm in rope_scaling has 0.5 as `factor`: a number of at least 1 is needed',
  ],
  [
    'a number that its rope does not have',
    rope({ rope_type: 'linear', factor: 2, beta_fast: 32 }),
    'm in rope_scaling has 32 as `beta_fast`: this field is not supported',
  ],
  [
    'two original lengths',
    { ...rope({ rope_type: 'yarn', factor: 2 }), original_max_position_embeddings: 100 },
    'm has 100 as `original_max_position_embeddings`: its rope_scaling has 8192',
  ],
  [
    'factors of another length',
    { ...phi3, rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [1] } },
    'm in rope_scaling has [1] as `short_factor`: a list of 48 positive numbers is needed',
  ],
  [
    'attention that is not causal',
    { ...smolLm2, is_causal: false },
    'm has false as `is_causal`: this field is not supported',
  ],
  [
    'a scale that is not 1',
    { ...smolLm2, logits_scaling: 8 },
    'm has 8 as `logits_scaling`: this field is not supported',
  ],
  [
    'a part of a head in a family that rotates it all',
    { ...smolLm2, partial_rotary_factor: 0.5 },
    'm has 0.5 as `partial_rotary_factor`: this field is not supported',
  ],
  ['pruned heads', { ...gpt2, pruned_heads: { 0: [1] } }, 'm has {"0":[1]} as `pruned_heads`'],
  ['cross-attention', { ...gpt2, add_cross_attention: true }, 'm has true as `add_cross_attention`'],
  [
    'two sizes under two names',
    { ...gpt2, hidden_size: 512 },
    'm has 512 as `hidden_size`: only 768 is supported',
  ],
  [
    'layers of another kind',
    { ...qwen2, layer_types: ['full_attention', 'sliding_attention'] },
    'm has ["full_attention","sliding_attention"] as `layer_types`: a list of 24 words is needed, each "full_attention" or "sliding_attention"',
  ],
  [
    'layers with a window that the model has not',
    { ...qwen2, layer_types: new Array(24).fill('sliding_attention') },
    'as `layer_types`: it has `sliding_attention`, but the model has no `sliding_window`',
  ],
  [
    'another activation',
    { ...mistral, hidden_act: 'gelu' },
    'm has "gelu" as `hidden_act`: only "silu" or "swish" is supported',
  ],
  [
    'a bias that the family has not',
    { ...mistral, attention_bias: true },
    'm has true as `attention_bias`: only false is supported',
  ],
  [
    'a part of a head that cannot be rotated',
    { ...phi3, partial_rotary_factor: 0.52 },
    'm has 0.52 as `partial_rotary_factor`: 49 of 96 elements of a head cannot be rotated',
  ],
  ['a norm that Phi-2 has not', { ...phi2, qk_layernorm: true }, 'm has true as `qk_layernorm`'],
  [
    'another activation of GPT-NeoX',
    { ...pythia, hidden_act: 'relu' },
    'm has "relu" as `hidden_act`: these are supported: "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh"',
  ],
  [
    'two shares of a head under two names',
    { ...pythia, rotary_pct: 0.5, partial_rotary_factor: 0.25 },
    'm has 0.25 as `partial_rotary_factor`: only 0.5 is supported',
  ],
  [
    'shared heads of GPT-NeoX, which has none',
    { ...pythia, num_key_value_heads: 4 },
    'm has 4 as `num_key_value_heads`: only 12 is supported',
  ],
  [
    'a cap on the attention of Gemma 3, which transformers ignores',
    { ...gemma3, attn_logit_softcapping: 50 },
    'm has 50 as `attn_logit_softcapping`: only null is supported',
  ],
  [
    'Gemma without a window',
    { ...gemma3, sliding_window: null },
    'm has null as `sliding_window`: a whole number of at least 1 is needed',
  ],
  [
    'attention to later tokens',
    { ...gemma3, use_bidirectional_attention: true },
    'm has true as `use_bidirectional_attention`: only false is supported',
  ],
  ['Gemma 3 with images', { model_type: 'gemma3' }, 'm has the model_type "gemma3"'],
  ['a shared expert', { ...mistral, model_type: 'qwen2_moe' }, 'm has the model_type "qwen2_moe"'],
  [
    'noise in a router',
    { ...mistral, model_type: 'mixtral', router_jitter_noise: 0.1 },
    'm has 0.1 as `router_jitter_noise`: only 0 is supported',
  ],
  [
    'a token for more experts than there are',
    { ...mistral, model_type: 'mixtral', num_local_experts: 2, num_experts_per_tok: 3 },
    'm has 3 as `num_experts_per_tok`: the model has 2 experts',
  ],
  [
    'more experts than any model has',
    { ...mistral, model_type: 'mixtral', num_hidden_layers: 10_000, num_local_experts: 11 },
    'm has 11 as `num_local_experts`: a whole number between 1 and 10 is needed',
  ],
  [
    'a layer that does not exist',
    { ...mistral, model_type: 'qwen3_moe', mlp_only_layers: [99] },
    'm has [99] as `mlp_only_layers`: a list of whole numbers between 0 and',
  ],
  ['another family', { model_type: 'mamba' }, 'm has the model_type "mamba"'],
  ['no family', { n_embd: 8 }, 'm has no `model_type`'],
])('%s is refused, not ignored', (_case, json, message) => {
  expect(() => parseModelConfig('m', json)).toThrow(message);
});
