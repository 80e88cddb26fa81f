import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { lossAndGradients } from '../../src/training/gradients.ts';
import { defaultLora } from '../../src/training/lora-settings.ts';
import { tuneModel } from '../../src/training/tune-model.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { countingExamples } from './tiny-training.ts';

const families = [
  'tiny-gpt2',
  ...['llama', 'gemma2', 'gemma3', 'gpt-neox', 'olmo2', 'phi', 'mixtral'].map((name) => `families/${name}`),
];
const folderOf = (name: string) => fileURLToPath(new URL(`../fixtures/model/${name}`, import.meta.url));
const lora = { ...defaultLora, r: 4, alpha: 8, dropout: 0.1, use_dora: true, bias: 'all' as const };

/** The loss and the gradients of one batch, as numbers. */
async function gradientsOf(
  name: string,
  config: { readonly gradient_checkpointing: boolean; readonly lora?: typeof lora },
): Promise<Readonly<Record<string, readonly number[]>>> {
  const loaded = await openLanguageModel(folderOf(name));
  const { model, ...tuned } = tuneModel(loaded, { config, seed: 3 });
  const below = (ids: Int32Array) => ids.map((id) => id % loaded.config.vocabularySize);
  const examples = countingExamples(3).map((example) => ({
    ...example,
    inputs: below(example.inputs),
    targets: below(example.targets),
  }));
  const batch = splitBatch(examples, {
    ...{ microBatchSize: 3, endOfText: 0, paddingFree: true, multipleOf: 8 },
  });
  const { loss, gradients } = await lossAndGradients(model, batch);
  const found: Record<string, readonly number[]> = { loss: [loss] };
  for (const [parameter, gradient] of gradients) found[parameter] = [...(await gradient.data())];
  tf.dispose([...gradients.values()]);
  tuned[Symbol.dispose]();
  loaded.dispose();
  return found;
}

for (const backend of backendsUnderTest)
  test.each(families)(
    `with gradient_checkpointing, %s has the same loss and gradients, on ${backend}`,
    async (name) => {
      await openTensorBackend({ backend });
      const before = tf.memory().numTensors;
      for (const more of [{}, { lora }]) {
        const plain = await gradientsOf(name, { gradient_checkpointing: false, ...more });
        const checkpointed = await gradientsOf(name, { gradient_checkpointing: true, ...more });
        expect(checkpointed).toEqual(plain);
      }
      expect(tf.memory().numTensors).toBe(before);
    },
  );
