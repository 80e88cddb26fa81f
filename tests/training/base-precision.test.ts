import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dequantize } from '../../src/formats/gguf/blocks.ts';
import { quantize } from '../../src/formats/gguf/quantize.ts';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { quantizedMatrices } from '../../src/model/base-precision.ts';
import { openModelFolder, writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { initialModel } from '../../src/model/initial-model.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { dequantizeWeight, quantizeWeight } from '../../src/tensor/ops/quantize-weight.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { defaultLora } from '../../src/training/lora-settings.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { takeStep } from '../../src/training/take-step.ts';
import { tuneModel } from '../../src/training/tune-model.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { countingExamples, plainConfig } from './tiny-training.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'base-precision-'));
});
afterAll(() => rm(root, { recursive: true }));

const sizes = { vocabularySize: 60, contextLength: 16, hiddenSize: 32, layers: 2, heads: 2 };

/** A model folder, and one beside it whose projections are rounded in the same way, in float32. */
async function folders(family: 'gpt2' | 'llama', precision: 'int8' | 'int4') {
  const [own, rounded] = [join(root, family), join(root, `${family}-${precision}`)];
  const initial = initialModel({ family, ...sizes, tied: true, seed: 3, endOfText: 59 });
  await writeModelFolder(own, initial);
  await using source = await openModelFolder(own);
  const matrices = quantizedMatrices(source.config, precision);
  const read = async (name: string) => {
    const data = await source.read(name);
    const matrix = matrices.get(name);
    if (matrix === undefined) return data;
    const { shape, transposed, bits } = matrix;
    const [inputs, outputs] = transposed ? [shape[1], shape[0]] : shape;
    const sizes = { inputs, outputs, transposed };
    return dequantizeWeight(quantizeWeight({ data, ...sizes }, bits), sizes);
  };
  await writeModelFolder(rounded, { config: source.config, read });
  return { own, rounded };
}

function logitsOf(model: LanguageModel): Float32Array {
  const ids = Int32Array.from([3, 4, 5, 6, 7]);
  return tf.tidy(() => {
    const rows = paddedRows(model.config, { ids, batch: 1, length: ids.length });
    return model.logits(model.hidden(rows)).dataSync<'float32'>();
  });
}

/** Three steps of an adapter on a base: losses, logits, and those of the merged model. */
async function tuned(folder: string, precision: 'float32' | 'int8' | 'int4', dora: boolean) {
  const base = await openLanguageModel(folder, { precision });
  const config = { lora: { ...defaultLora, r: 2, alpha: 4, use_dora: dora } };
  using tuning = tuneModel(base, { config, seed: 1 });
  await using state = new TrainingState(tuning.model, { ...plainConfig.optimizer, learning_rate: 0.05 });
  const losses = [];
  for (let step = 1; step <= 3; step++) {
    const batch = splitBatch(countingExamples(4), { endOfText: 59, microBatchSize: undefined });
    losses.push((await takeStep(state, { step, batch, learningRate: 0.05, clipNorm: undefined })).loss);
  }
  const logits = logitsOf(tuning.model);
  const merged = join(root, 'merged');
  await tuning.save(merged);
  const model = await openLanguageModel(merged);
  const ofMerged = logitsOf(model);
  model.dispose();
  base.dispose();
  return { losses, logits, ofMerged };
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, index) => Math.abs(value - (b[index] ?? Number.NaN))));

describe.each(backendsUnderTest)('a base in 8 or 4 bits on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  test.each([
    ['gpt2', 'int8', false],
    ['gpt2', 'int4', true],
    ['llama', 'int8', true],
    ['llama', 'int4', false],
  ] as const)(
    'trains and merges as the rounded base does in float32 (%s, %s, DoRA: %s)',
    async (...given) => {
      const [family, precision, dora] = given;
      const { own, rounded } = await folders(family, precision);
      const quantized = await tuned(own, precision, dora);
      const expected = await tuned(rounded, 'float32', dora);
      const exact = await tuned(own, 'float32', dora);
      expect(largestDifference(quantized.losses, expected.losses)).toBeLessThan(1e-5);
      expect(largestDifference(quantized.logits, expected.logits)).toBeLessThan(1e-4);
      expect(largestDifference(quantized.ofMerged, quantized.logits)).toBeLessThan(1e-4);
      expect(largestDifference(exact.logits, expected.logits)).toBeGreaterThan(1e-3);
    },
  );
});

test.each([
  ['Q8_0', 8, 0],
  ['Q4_0', 4, 0],
  ['Q4_1', 4, 1e-6],
] as const)('weights of a GGUF file in %s keep their values in %i bits', (type, bits, rounding) => {
  const matrix = { inputs: 64, outputs: 8, transposed: true };
  const data = Float32Array.from({ length: 512 }, (_, index) => Math.sin(index * index) * (1 + (index % 7)));
  const stored = type === 'Q4_1' ? onGridOfQ41(data) : dequantize(type, quantize(type, data).slice().buffer);
  const kept = dequantizeWeight(quantizeWeight({ data: stored, ...matrix }, bits), matrix);
  expect(largestDifference(kept, stored)).toBeLessThanOrEqual(rounding);
});

/** Blocks of 32 on 16 even steps from the least to the greatest. */
const onGridOfQ41 = (data: Float32Array): Float32Array =>
  data.map((value, index) => {
    const block = data.subarray(32 * Math.floor(index / 32), 32 * Math.floor(index / 32) + 32);
    const least = Math.min(...block);
    const step = (Math.max(...block) - least) / 15;
    return least + step * Math.round((value - least) / step);
  });
