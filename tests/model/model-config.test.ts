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
