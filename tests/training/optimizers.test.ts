import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { adaptModel } from '../../src/model/lora/adapted-model.ts';
import { newAdapter } from '../../src/model/lora/lora-adapter.ts';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import { trainStage } from '../../src/stages/train/train-stage.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { learningRateFactors } from '../../src/training/learning-rate-factors.ts';
import { defaultLora, loraSettings } from '../../src/training/lora-settings.ts';
import { peakLearningRate } from '../../src/training/optimizer/optimizer.ts';
import { rewriteValues } from '../../src/training/optimizer/trained-parameter.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { takeStep } from '../../src/training/take-step.ts';
import { tuneModel } from '../../src/training/tune-model.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/training/${name}`, import.meta.url));
const json = (name: string) => JSON.parse(readFileSync(fixture(name), 'utf8'));

/** What optimizer-steps.py measured. */
const {
  steps,
  runs,
}: {
  readonly steps: number;
  readonly runs: Readonly<
    Record<string, { readonly settings: JsonObject; readonly losses: readonly number[] }>
  >;
} = json('optimizer-steps.json');

const { batches, end_of_text: endOfText } = json('torch-steps.json');

const examplesOf = (step: number) =>
  batches[(step - 1) % batches.length].map(
    ({ inputs, targets }: { inputs: number[]; targets: number[] }, row: number) => ({
      id: `${row}`,
      inputs: Int32Array.from(inputs),
      targets: Int32Array.from(targets),
      promptLength: 1,
    }),
  );

/** As in optimizer-steps.py: the bias of a key has no gradient but rounding. */
const trainable = ['*', '!c_attn.bias'];

/** A configuration with the schema's defaults. */
const configOf = (config: JsonObject) => fillDefaults(trainStage.schema, config) as unknown as TrainConfig;

async function lossesOf(model: LanguageModel, config: TrainConfig): Promise<readonly number[]> {
  await using state = new TrainingState(model, config.optimizer, learningRateFactors(model, config));
  const losses = [];
  for (let step = 1; step <= steps; step++) {
    const batch = splitBatch(examplesOf(step), { endOfText, multipleOf: 16, microBatchSize: undefined });
    const learningRate = peakLearningRate(config.optimizer, step);
    losses.push((await takeStep(state, { step, batch, learningRate, clipNorm: undefined })).loss);
  }
  return losses;
}

const largestDifference = (ours: ArrayLike<number>, theirs: ArrayLike<number> = []) =>
  Math.max(...Array.from(ours, (value, index) => Math.abs(value - (theirs[index] ?? Number.NaN))));

async function expectEqual(
  run: string,
  { model, losses }: { readonly model: LanguageModel; readonly losses: readonly number[] },
) {
  await using theirs = await openSafetensors(fixture('optimizer-steps.safetensors'));
  const differences = [largestDifference(losses, runs[run]?.losses)];
  for (const name of theirs.tensors.keys()) {
    if (!name.startsWith(`${run}/`)) continue;
    const ours = model.trainable.get(name.slice(run.length + 1));
    differences.push(largestDifference(ours?.dataSync<'float32'>() ?? [], await theirs.readFloat32(name)));
  }
  expect(differences.length).toBeGreaterThan(4);
  expect(Math.max(...differences)).toBeLessThan(1e-5);
}

describe.each(backendsUnderTest)('twenty steps on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  it.each(Object.keys(runs).filter((run) => runs[run]?.settings !== undefined))(
    'with %s give the losses and weights of the reference implementation',
    async (run) => {
      const model = await openLanguageModel(fixture('tiny-gpt2'));
      const config = configOf({ optimizer: runs[run]?.settings ?? {}, trainable });
      using tuned = tuneModel(model, { config, seed: 0 });
      await expectEqual(run, { model: tuned.model, losses: await lossesOf(tuned.model, config) });
      model.dispose();
    },
  );

  it('with learning rates by layer and by name give those of parameter groups in PyTorch', async () => {
    const model = await openLanguageModel(fixture('tiny-gpt2'));
    const config = configOf({
      optimizer: { learning_rate: 2e-3 },
      ...{ layerwise_lr_decay: 0.7, learning_rate_multipliers: { '*.mlp.*': 3 }, trainable },
    });
    using tuned = tuneModel(model, { config, seed: 0 });
    await expectEqual('layerwise', { model: tuned.model, losses: await lossesOf(tuned.model, config) });
    model.dispose();
  });

  it("of LoRA+ give those of PEFT's create_loraplus_optimizer", async () => {
    const base = await openLanguageModel(fixture('tiny-gpt2'));
    const config = configOf({ optimizer: { learning_rate: 2e-3 }, lora: {}, loraplus_lr_ratio: 8 });
    const lora = { ...defaultLora, r: 4, alpha: 8, targets: ['c_attn', 'c_fc'] };
    const settings = loraSettings(lora, base.config);
    const model = adaptModel(base, newAdapter(base, { settings, seed: 0 }));
    await using start = await openSafetensors(fixture('lora-gpt2.safetensors'));
    for (const [name, variable] of model.trainable) {
      const values = await start.readFloat32(`before.base_model.model.${name}`);
      rewriteValues(variable, (own) => own.set(values));
    }
    await expectEqual('loraplus', { model, losses: await lossesOf(model, config) });
    model.dispose();
  });
});

it('a pattern of learning rates that matches nothing is refused', async () => {
  await openTensorBackend({ backend: 'cpu' });
  const model = await openLanguageModel(fixture('tiny-gpt2'));
  expect(() => learningRateFactors(model, { learning_rate_multipliers: { 'q_proj*': 2 } })).toThrow(
    /`learning_rate_multipliers` has `q_proj\*`, which matches no trained parameter/,
  );
  model.dispose();
});

it.each(['adafactor', 'lion', 'sgd-momentum'])('%s leaves no tensor behind', async (run) => {
  await openTensorBackend({ backend: 'onnx' });
  const before = tf.memory().numTensors;
  const model = await openLanguageModel(fixture('tiny-gpt2'));
  await lossesOf(model, configOf({ optimizer: runs[run]?.settings ?? {} }));
  model.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
