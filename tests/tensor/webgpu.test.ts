import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeRows } from '../../src/model/generation/decode.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { halfPrecisions, openTensorBackend, type ProductPrecision } from '../../src/tensor/index.ts';
import type { DeviceRunner } from '../../src/tensor/onnx/device/open-device-runtime.ts';
import type { OnnxBackend } from '../../src/tensor/onnx/onnx-backend.ts';
import { openOnnxBackend } from '../../src/tensor/onnx/open-onnx-backend.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { takeStep } from '../../src/training/take-step.ts';
import { countingExamples, plainConfig } from '../training/tiny-training.ts';

const isThere = process.env.TENSOR_BACKEND === 'webgpu';
/** Bytes that go to the device: ids, positions, targets and masks of a step; of a decode step the token and where it goes. */
const models = [
  ['tiny-gpt2', { training: 996, decoding: 12 }],
  ['families/llama', { training: 2168, decoding: 92 }], // and the angles of its positions
] as const;
const LOSS_SCALE_BYTES = 4;
const folderOf = (name: string) => fileURLToPath(new URL(`../fixtures/model/${name}`, import.meta.url));

/** A graph with a node that the device cannot compute fails. */
beforeAll(async () => {
  if (!isThere) return;
  await openOnnxBackend({ backend: 'webgpu', fallback: 'refuse' });
  await openTensorBackend({ backend: 'webgpu' }); // the same, with the gradients
});

/** What crosses between host and device while `work` runs. */
async function trafficOf(work: () => Promise<unknown>): Promise<DeviceRunner['traffic']> {
  const { traffic } = (tf.backend() as OnnxBackend).runner as DeviceRunner; // opened above
  const before = { ...traffic };
  await work();
  return {
    uploaded: traffic.uploaded - before.uploaded,
    downloaded: traffic.downloaded - before.downloaded,
  };
}

describe.skipIf(!isThere)('on WebGPU (where TUNELOOM_WEBGPU_TESTS is set and Vulkan finds a device)', () => {
  test.each(models)(
    'a training step of %s runs on the device alone; its tokens go in, loss and norm come out',
    async (name, bytes) => {
      const { uploaded, downloaded, parameters } = await stepTraffic(name, 'float32');
      expect(downloaded).toBe(4 + 4 * parameters); // the loss, and the squares of each gradient
      expect(uploaded).toBe(bytes.training);
    },
  );

  test.for(models)(
    'a training step of %s in fp16 runs on the device alone, where that has fp16',
    async ([name, bytes], context) => {
      if (!halfPrecisions().includes('fp16')) context.skip('this device does not compute in fp16');
      const { uploaded, downloaded, parameters } = await stepTraffic(name, 'fp16');
      expect(downloaded).toBe(4 + 4 * parameters);
      expect(uploaded).toBe(bytes.training + LOSS_SCALE_BYTES);
    },
  );

  test.each(models)(
    'a decode step of %s runs on the device alone; its tokens go in, logits come out',
    async (name, bytes) => {
      const model = await openLanguageModel(folderOf(name));
      const traffic = await trafficOf(() => write(model, 3));
      const longer = await trafficOf(() => write(model, 4));
      model.dispose();
      expect(longer.downloaded - traffic.downloaded).toBe(4 * model.config.vocabularySize);
      expect(longer.uploaded - traffic.uploaded).toBe(bytes.decoding);
    },
  );
});

test.skipIf(!isThere)(
  'a tensor that no GPU can hold is refused with advice, and the next computation works',
  async () => {
    const tooLarge = tf.tidy(() => tf.sum(tf.add(tf.fill([130_000, 130_000], 0), 1))); // 67 GB
    await expect(tooLarge.data()).rejects.toMatchObject({
      code: 'device-limit',
      help: expect.stringContaining('`micro_batch_size`'),
    });
    tooLarge.dispose();
    expect(await tf.add([1, 2], 1).data()).toEqual(Float32Array.of(2, 3));
  },
);

/** What crosses in the second step of a training. */
async function stepTraffic(name: string, precision: ProductPrecision) {
  const model = await openLanguageModel(folderOf(name));
  await using state = new TrainingState(model, plainConfig.optimizer);
  const layout = { microBatchSize: 3, endOfText: 0, paddingFree: true, multipleOf: 8 };
  const batch = splitBatch(countingExamples(3), layout);
  const step = (step: number) => takeStep(state, { step, batch, learningRate: 1e-3, clipNorm: 1, precision });
  await step(1);
  const traffic = await trafficOf(() => step(2));
  const parameters = model.trainable.size;
  model.dispose();
  return { ...traffic, parameters };
}

/** Writes `tokens` after a prompt. */
async function write(model: LanguageModel, tokens: number): Promise<void> {
  let written = 0;
  const row = { prompt: Int32Array.of(1, 2, 3), next: () => (written++ < tokens ? written : undefined) };
  const rows = decodeRows({
    ...{ model, rows: [row], batchSize: 1, paddedLength: () => 8, slots: 16 },
    signal: new AbortController().signal,
  });
  for await (const _ of rows);
}
