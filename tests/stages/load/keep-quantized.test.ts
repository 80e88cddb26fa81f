import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { showModel } from '../../../src/cli/show/show-model.ts';
import type { JsonObject } from '../../../src/core/index.ts';
import { paddedRows } from '../../../src/model/attend-rows.ts';
import { matrixLayouts } from '../../../src/model/base-precision.ts';
import { openModelFolder } from '../../../src/model/folder/model-folder.ts';
import { type LanguageModel, openLanguageModel, quantizeWeights } from '../../../src/model/language-model.ts';
import { parameterLayout } from '../../../src/model/model-config.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { loadStage } from '../../../src/stages/load/load-stage.ts';
import * as load from '../../../src/stages/load/run-load.ts';
import { floatWeight, openTensorBackend } from '../../../src/tensor/index.ts';
import { openStageRig } from '../stage-rig.ts';

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/model/gguf', name);
const into = (model: string) => ({ model, tokenizer: `${model}-tokenizer` });

const bits = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');

function logitsOf(model: LanguageModel): Float32Array {
  const ids = Int32Array.from([3, 4, 5, 260, 7, 8, 300]);
  return tf.tidy(() => {
    const rows = paddedRows(model.config, { ids, batch: 1, length: ids.length });
    return model.logits(model.hidden(rows)).dataSync<'float32'>();
  });
}

const relativeError = (found: Float32Array, wanted: Float32Array) =>
  Math.max(...found.map((value, index) => Math.abs(value - (wanted[index] ?? Number.NaN)))) /
  Math.max(...wanted.map(Math.abs));

describe.each(['kept-llama.gguf', 'kept-gpt2.gguf'])('%s with keep_quantized', (name) => {
  test('is a folder with the file itself, which has the same values as a widened one, bit for bit', async () => {
    await using rig = await openStageRig();
    const source = fixture(name);
    await rig.run(load, { config: { model: source, keep_quantized: true }, outputs: into('kept') });
    await rig.run(load, { config: { model: source }, outputs: into('wide') });
    const files = ['config.json', 'model.gguf', 'tokenizer.json', 'tokenizer_config.json'];
    expect((await readdir(rig.path('kept'))).sort()).toEqual(files);
    expect(await readFile(rig.path('kept/model.gguf'))).toEqual(await readFile(source));
    for (const file of files.filter((file) => file !== 'model.gguf'))
      expect(await readFile(rig.path(`kept/${file}`))).toEqual(await readFile(rig.path(`wide/${file}`)));
    await using kept = await openModelFolder(rig.path('kept'));
    await using wide = await openModelFolder(rig.path('wide'));
    for (const parameter of parameterLayout(wide.config).keys())
      expect(bits(await kept.read(parameter))).toEqual(bits(await wide.read(parameter)));
  });

  test.each(['cpu', 'onnx'] as const)(
    'computes in float32 as a widened model does, and keeps every matrix in its own bits otherwise (%s)',
    async (backend) => {
      await using rig = await openStageRig();
      await openTensorBackend({ backend, threads: 2 });
      await rig.run(load, { config: { model: fixture(name), keep_quantized: true }, outputs: into('kept') });
      await rig.run(load, { config: { model: fixture(name) }, outputs: into('wide') });
      const wide = await openLanguageModel(rig.path('wide'));
      const wanted = logitsOf(wide);
      const float = await openLanguageModel(rig.path('kept'));
      expect(bits(logitsOf(float))).toEqual(bits(wanted));
      const notes: string[] = [];
      const onNote = (note: string) => notes.push(note);
      const exact = await openLanguageModel(rig.path('kept'), { precision: 'int4', onNote });
      await using folder = await openModelFolder(rig.path('kept'));
      for (const [parameter, { shape }] of matrixLayouts(folder.config)) {
        if ((await folder.readQuantized?.(parameter)) === undefined) continue;
        const variable = exact.parameters.get(parameter);
        const values = tf.tidy(() => variable && floatWeight(variable).dataSync<'float32'>());
        expect([variable?.shape, bits(values ?? new Float32Array())]).toEqual([
          shape,
          bits((await wide.parameters.get(parameter)?.data<'float32'>()) as Float32Array),
        ]);
      }
      const rounded = await openLanguageModel(rig.path('kept'), {
        precision: 'int4',
        products: 'rounded',
        onNote,
      });
      using _constant = quantizeWeights(rounded, 'int4');
      const counts = name === 'kept-llama.gguf' ? [7, 8, 4, 3] : [6, 7, 3, 3];
      const note = `${counts[0]} of ${counts[1]} matrices keep the bits that the model's file has: ${counts[2]} in 4 bits, ${counts[3]} in 8 bits`;
      expect(notes).toEqual([note, note]);
      // Matrices in float32 in the file are rounded; the native runner rounds rows to 8 bits as well.
      expect(relativeError(logitsOf(exact), wanted)).toBeLessThan(name === 'kept-llama.gguf' ? 0.1 : 1e-5);
      expect(relativeError(logitsOf(rounded), wanted)).toBeLessThan(0.15);
    },
  );
});

test('a kept folder is loaded as it is, or widened; its tensors are shown in their formats', async () => {
  await using rig = await openStageRig();
  const model = fixture('kept-llama.gguf');
  await rig.run(load, { config: { model, keep_quantized: true }, outputs: into('kept') });
  const from = { model: rig.path('kept') };
  await rig.run(load, { config: { ...from, keep_quantized: true }, outputs: into('copy') });
  await rig.run(load, { config: from, outputs: into('wide') });
  expect(await readFile(rig.path('copy/model.gguf'))).toEqual(await readFile(model));
  expect(await readdir(rig.path('wide'))).toContain('model.safetensors');
  const shown = await showModel({
    ...{ path: rig.path('kept'), offset: 0, limit: undefined, epoch: 1, batch: 1, keep: undefined },
    tokenizer: async () => undefined,
  });
  const { parameters } = shown.json as { parameters: readonly { name: string; dtype: string }[] };
  expect(Object.fromEntries(parameters.map(({ name, dtype }) => [name, dtype]))).toMatchObject({
    'token_embd.weight': 'Q8_0',
    'blk.0.attn_q.weight': 'Q4_1',
    'blk.0.ffn_down.weight': 'Q4_K',
    'blk.0.ffn_up.weight': 'F32',
  });
});

test('a file that does not fit the config.json beside it is refused', async () => {
  await using rig = await openStageRig();
  await rig.run(load, {
    config: { model: fixture('kept-llama.gguf'), keep_quantized: true },
    outputs: into('kept'),
  });
  const path = rig.path('kept/model.gguf');
  await copyFile(fixture('kept-gpt2.gguf'), path);
  await expect(openModelFolder(rig.path('kept'))).rejects.toMatchObject({
    code: 'unsupported-model',
    message: `${path} holds a model of gpt2, and its config.json one of llama`,
  });
});

test('what has no blocks to keep, or would change them, is refused', async () => {
  await using rig = await openStageRig();
  const wide = { config: { model: fixture('kept-llama.gguf') }, outputs: into('wide') };
  await rig.run(load, wide);
  const source = rig.path('wide');
  await expect(
    rig.run(load, { config: { model: source, keep_quantized: true }, outputs: into('kept') }),
  ).rejects.toMatchObject({
    code: 'not-quantized',
    message: `\`keep_quantized\` keeps the weights of a GGUF file, and ${source} is a folder without one`,
  });
  const problems = (config: JsonObject) =>
    loadStage.check?.(fillDefaults(loadStage.schema, config)).map(({ code, pointer }) => [code, pointer]);
  const kept = { model: 'm.gguf', keep_quantized: true };
  expect(problems(kept)).toEqual([]);
  expect(problems({ ...kept, untie_head: true, add_tokens: ['<a>'] })).toEqual([
    ['quantized-change', '/untie_head'],
    ['quantized-change', '/add_tokens'],
  ]);
  expect(problems({ model: 'openai:m', keep_quantized: true })).toEqual([
    ['unheeded-field', '/keep_quantized'],
  ]);
});
