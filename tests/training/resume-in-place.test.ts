import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { countingExamples, plainConfig, TinyTraining, tinyBatches } from './tiny-training.ts';

const [backend = 'cpu'] = backendsUnderTest;
const isThere = backend === 'tensorflow' || backend === 'webgpu' || backend === 'cuda';

/** In micro-batches, clipped, and back to its best weights at the end. */
const config = { ...plainConfig, micro_batch_size: 2, clip_norm: 0.5, keep: 'best' } as const;
const task = async () => ({ config, validation: await tinyBatches({ examples: countingExamples(4) }) });

describe.skipIf(!isThere)(
  'where weights and moments stay with the backend (TensorFlow or WebGPU, where there is one)',
  () => {
    it('a training that was interrupted and resumed ends in the bytes of an uninterrupted one', async () => {
      await using whole = await TinyTraining.create(backend);
      await using training = await TinyTraining.create(backend);
      const controller = new AbortController();
      const onProgress = ({ step }: { readonly step: number }) => step === 4 && controller.abort();
      const aborted = training.run({ ...(await task()), signal: controller.signal, onProgress });
      await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
      expect(await training.run(await task())).toEqual(await whole.run(await task()));
    });

    it('a training leaves no tensor behind', async () => {
      await openTensorBackend({ backend });
      const before = tf.memory().numTensors;
      await using training = await TinyTraining.create(backend);
      await training.run(await task());
      expect(tf.memory().numTensors).toBe(before);
    });
  },
);
