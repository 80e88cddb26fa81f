import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { paddedRows } from '../../../src/model/attend-rows.ts';
import { openModelFolder, writeModelFolder } from '../../../src/model/folder/model-folder.ts';
import { generateTexts } from '../../../src/model/generation/generate-texts.ts';
import { openGgufModel } from '../../../src/model/gguf/open-gguf-model.ts';
import { openLanguageModel } from '../../../src/model/language-model.ts';
import * as load from '../../../src/stages/load/run-load.ts';
import { openTensorBackend } from '../../../src/tensor/index.ts';
import { openTokenizer } from '../../../src/text/tokenizer/open-tokenizer.ts';
import { startToken } from '../../../src/text/tokenizer/start-of-text.ts';
import byTransformers from '../../fixtures/model/gguf/gemma3.json' with { type: 'json' };
import given from '../../fixtures/model/gguf/models.json' with { type: 'json' };
import expected from '../../fixtures/model/gguf/smollm2.json' with { type: 'json' };
import top from '../../fixtures/model/gguf/smollm2-logits.json' with { type: 'json' };
import { openStageRig } from '../stage-rig.ts';

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/model/gguf', name);
const outputs = { model: 'model', tokenizer: 'tokenizer' };
const tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json'];

test('a GGUF file becomes a folder in Hugging Face’s layout, the same bytes every time', async () => {
  await using rig = await openStageRig();
  const config = { type: 'auto', model: fixture('llama.gguf') };
  await rig.run(load, { config, outputs });
  await rig.run(load, { config, outputs: { model: 'again', tokenizer: 'tokenizer-again' } });
  const files = ['config.json', 'model.safetensors', ...tokenizerFiles];
  expect((await readdir(rig.path('model'))).sort()).toEqual(files);
  expect((await readdir(rig.path('tokenizer'))).sort()).toEqual(tokenizerFiles);
  for (const file of files)
    expect(await readFile(rig.path(`again/${file}`))).toEqual(await readFile(rig.path(`model/${file}`)));
  expect(JSON.parse(await readFile(rig.path('model/config.json'), 'utf8'))).toEqual({
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: 320,
    max_position_embeddings: 64,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 4,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    torch_dtype: 'float32',
    bos_token_id: 1,
    eos_token_id: 2,
  });
});

test('a GGUF file without a head can be given one', async () => {
  await using rig = await openStageRig();
  const config = { type: 'auto', model: fixture('gpt2.gguf'), untie_head: true };
  await rig.run(load, { config, outputs });
  await using model = await openModelFolder(rig.path('model'));
  expect(await model.read('lm_head.weight')).toEqual(await model.read('transformer.wte.weight'));
});

test('a file that is not GGUF is an error that says what a model can be', async () => {
  await using rig = await openStageRig();
  const path = await rig.write('model.bin', 'weights');
  await expect(rig.run(load, { config: { type: 'auto', model: path }, outputs })).rejects.toMatchObject({
    code: 'bad-gguf',
    message: `${path} is not a valid GGUF file: it does not start with \`GGUF\``,
  });
});

const file = process.env.TUNELOOM_SMOLLM2;
const skipped =
  file === undefined ? ' (skipped: TUNELOOM_SMOLLM2 names no SmolLM2-135M-Instruct.Q4_1.gguf)' : '';

describe.skipIf(file === undefined)(`SmolLM2${skipped}`, () => {
  test('encodes as in llama.cpp and continues prompts greedily as in transformers', async () => {
    await using rig = await openStageRig();
    await rig.run(load, { config: { type: 'auto', model: file ?? '' }, outputs });
    const tokenizer = await openTokenizer(rig.path('tokenizer'));
    expect(given.texts.map((text) => Array.from(tokenizer.encode(text)))).toEqual(expected.ids);
    await openTensorBackend({ backend: 'onnx' });
    const model = await openLanguageModel(rig.path('model'));
    const settings = { maxNewTokens: 20, temperature: 0, topP: 1, seed: 0, stop: [], batchSize: 3 };
    const asked = given.prompts.map((text, index) => ({ id: `${index}`, text }));
    const { signal } = new AbortController();
    const written = new Map<string, string>();
    for await (const { id, text } of generateTexts({ model, tokenizer, prompts: asked, settings, signal }))
      written.set(id, text);
    model.dispose();
    expect(asked.map(({ id }) => written.get(id))).toEqual(expected.greedy.map(tokenizer.decode));
  }, 120_000);

  test('has the five most likely next tokens of transformers, with their logits within 1e-3', async () => {
    await using gguf = await openGgufModel(file ?? '');
    await openTensorBackend({ backend: 'onnx' });
    await using rig = await openStageRig();
    await writeModelFolder(rig.path('model'), gguf);
    const model = await openLanguageModel(rig.path('model'));
    for (const { ids, tokens, logits } of top) {
      const computed = tf.tidy(() => {
        const row = { ids: Int32Array.from(ids), batch: 1, length: ids.length };
        const hidden = model.hidden(paddedRows(model.config, row)); // [N, C]
        return tf.topk(model.logits(tf.slice(hidden, [ids.length - 1, 0], [1, -1])), 5);
      });
      expect([...computed.indices.dataSync()]).toEqual(tokens);
      const errors = [...computed.values.dataSync()].map((value, rank) =>
        Math.abs(value - (logits[rank] ?? 0)),
      );
      expect(Math.max(...errors)).toBeLessThan(1e-3);
      tf.dispose([computed.indices, computed.values]);
    }
    model.dispose();
  }, 120_000);
});

const gemma3 = process.env.TUNELOOM_GEMMA3;
const withoutGemma3 =
  gemma3 === undefined ? ' (skipped: TUNELOOM_GEMMA3 names no gemma-3-270m-q4_k_m.gguf)' : '';

test.skipIf(gemma3 === undefined)(
  `Gemma 3 continues prompts greedily as in transformers with the same file${withoutGemma3}`,
  async () => {
    await using rig = await openStageRig();
    await rig.run(load, { config: { type: 'auto', model: gemma3 ?? '' }, outputs });
    const tokenizer = await openTokenizer(rig.path('tokenizer'));
    await openTensorBackend({ backend: 'onnx' });
    const model = await openLanguageModel(rig.path('model'));
    const settings = { maxNewTokens: 20, temperature: 0, topP: 1, seed: 0, stop: [], batchSize: 3 };
    const start = startToken(tokenizer, { bos: 'auto', isChat: false });
    const asked = byTransformers.prompts.map((text, index) => ({ id: `${index}`, text, start }));
    const { signal } = new AbortController();
    const written = new Map<string, string>();
    for await (const { id, text } of generateTexts({ model, tokenizer, prompts: asked, settings, signal }))
      written.set(id, text);
    model.dispose();
    expect(asked.map(({ id }) => written.get(id))).toEqual(byTransformers.greedy.map(tokenizer.decode));
  },
  120_000,
);
