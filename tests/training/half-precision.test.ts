import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import {
  halfPrecisions,
  openTensorBackend,
  type ProductPrecision,
  type TensorBackendName,
} from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import type { HistoryEntry } from '../../src/training/history.ts';
import { defaultLora } from '../../src/training/lora-settings.ts';
import { checkOverflow, initialLossScale, lossScaleAfter } from '../../src/training/loss-scale.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { stepEntry, takeStep } from '../../src/training/take-step.ts';
import { openHalfOnCpu } from '../tensor/half-on-cpu.ts';
import {
  countingExamples,
  plainConfig,
  TinyTraining,
  tinyBatches,
  tinyModel,
  tinyPairs,
} from './tiny-training.ts';

interface Curve {
  readonly losses: readonly number[];
  readonly gradient_norms: readonly (number | null)[];
}

interface ScaledCurve extends Curve {
  /** Before each step. */
  readonly scales: readonly number[];
}

type Rows = readonly { readonly inputs: readonly number[]; readonly targets: readonly number[] }[];

/** What half-steps.py measured in PyTorch. */
interface HalfSteps {
  readonly learning_rate: number;
  readonly float32: Curve;
  readonly bf16: Curve;
  readonly fp16: ScaledCurve;
  readonly few_targets: { readonly batches: readonly Rows[]; readonly fp16: ScaledCurve };
  readonly scaler: {
    readonly steps: number;
    readonly overflows: readonly number[];
    readonly changes: readonly (readonly [number, number])[];
  };
}

const read = (name: string) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../fixtures/training/${name}`, import.meta.url)), 'utf8'));
const torch: HalfSteps = read('half-steps.json');
const given: { readonly batches: readonly Rows[]; readonly end_of_text: number } = read('torch-steps.json');
const { learning_rate: learningRate } = torch;
const optimizer: TrainConfig['optimizer'] = { ...plainConfig.optimizer, learning_rate: learningRate };

/** 40 steps over these batches, from the weights of the tiny model. */
async function trainLike(batches: readonly Rows[], precision: ProductPrecision) {
  const model = await openLanguageModel(tinyModel);
  await using state = new TrainingState(model, optimizer);
  const taken = [];
  for (let step = 1; step <= 40; step++) {
    const examples = (batches[(step - 1) % batches.length] ?? []).map(({ inputs, targets }, row) => ({
      ...{ id: `${row}`, promptLength: 1 },
      inputs: Int32Array.from(inputs),
      targets: Int32Array.from(targets),
    }));
    const layout = { endOfText: given.end_of_text, multipleOf: 16, microBatchSize: undefined };
    const batch = splitBatch(examples, { ...layout, paddingFree: true });
    const one = await takeStep(state, { step, batch, learningRate, clipNorm: undefined, precision });
    state.record(stepEntry(one, { step, epoch: 1, learningRate, tokens: 0 }));
    taken.push(one);
  }
  model.dispose();
  return {
    losses: taken.map(({ loss }) => loss),
    norms: taken.map(({ norm, overflow }) => (overflow ? null : norm)),
    scales: taken.map(({ lossScale }) => lossScale),
  };
}

const distances = (ours: readonly (number | null)[], theirs: readonly (number | null)[]) =>
  ours.map((value, index) => Math.abs((value ?? 0) - (theirs[index] ?? 0)));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const name = process.env.TENSOR_BACKEND as TensorBackendName | undefined; // as the configuration of the tests sets it
const isReal = name !== undefined && name !== 'cpu' && name !== 'onnx';
const backend = isReal ? name : 'cpu';
const open = () => (isReal ? openTensorBackend({ backend }) : openHalfOnCpu());
await open();
const available = halfPrecisions();

describe(`on the ${backend} backend, with ${available.join(' and ') || 'no half precision here'}`, () => {
  beforeAll(async () => void (await open()));

  it.runIf(available.length > 0).each(available)(
    "40 steps in %s are as close to float32 as those under PyTorch's autocast",
    async (precision) => {
      const [half, float] = [
        await trainLike(given.batches, precision),
        await trainLike(given.batches, 'float32'),
      ];
      const theirs = mean(distances(torch[precision].losses, torch.float32.losses));
      const ours = mean(distances(half.losses, float.losses));
      expect(ours).toBeGreaterThan(0);
      expect(ours).toBeLessThan(2 * theirs);
      expect(mean(distances(half.losses, torch[precision].losses))).toBeLessThan(2 * theirs);
      expect(Math.max(...distances(half.norms, torch[precision].gradient_norms))).toBeLessThan(0.05);
    },
  );

  it.runIf(available.includes('fp16'))(
    'fp16 skips the steps that GradScaler skips, and has its scales',
    async () => {
      const { batches, fp16 } = torch.few_targets;
      const { losses, norms, scales } = await trainLike(batches, 'fp16');
      expect(scales).toEqual(fp16.scales);
      expect(norms.map((norm) => norm === null)).toEqual(fp16.gradient_norms.map((norm) => norm === null));
      expect(Math.max(...distances(losses, fp16.losses))).toBeLessThan(0.02);
    },
  );

  /** Examples of one target, some of whose gradients overflow in fp16 at first. */
  const few = async () => {
    const examples = countingExamples(12).map((example) => ({
      ...example,
      targets: example.targets.map((target, place) => (place === 2 ? target : -100)),
    }));
    return tinyBatches({ examples, recipe: { batchSize: 1, shuffle: true, dropLast: true, seed: 5 } });
  };

  it.runIf(available.length > 0).each(available)(
    'a training in %s that is interrupted and resumed ends in the same bytes',
    async (precision) => {
      const config = { ...plainConfig, precision, clip_norm: 0.5, keep: 'best' } as const;
      const task = async () => ({ config, batches: await few(), validation: await tinyBatches() });
      await using whole = await TinyTraining.create(backend);
      const expected = await whole.run(await task());
      const steps = expected.history.filter((entry) => entry.type === 'step');
      expect(steps.some(({ overflow }) => overflow)).toBe(precision === 'fp16');
      for (const stop of [1, 5]) {
        await using training = await TinyTraining.create(backend);
        const controller = new AbortController();
        const onProgress = ({ step }: { readonly step: number }) => step === stop && controller.abort();
        const aborted = training.run({ ...(await task()), signal: controller.signal, onProgress });
        await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
        expect(await training.run(await task())).toEqual(expected);
      }
    },
  );

  it.runIf(available.length > 0)(
    'gradient_checkpointing, and adapters, train to the same bytes in half',
    async () => {
      const [precision = 'bf16'] = available;
      const config = { ...plainConfig, precision, lora: { ...defaultLora, r: 2 } };
      await using plain = await TinyTraining.create(backend);
      await using checkpointed = await TinyTraining.create(backend);
      expect(await checkpointed.run({ config: { ...config, gradient_checkpointing: true } })).toEqual(
        await plain.run({ config }),
      );
    },
  );

  it.runIf(available.length > 0)('micro-batches change a loss by rounding only', async () => {
    const [precision = 'bf16'] = available;
    const lossesOf = async (given: Partial<TrainConfig>) => {
      await using training = await TinyTraining.create(backend);
      const { history } = await training.run({ config: { ...plainConfig, precision, ...given } });
      return history.flatMap((entry) => (entry.type === 'step' ? [entry.loss] : []));
    };
    const differences = distances(await lossesOf({ micro_batch_size: 1 }), await lossesOf({}));
    expect(Math.max(...differences)).toBeLessThan(0.01);
  });

  it.runIf(available.length > 0)(
    'a preference objective starts where the policy is its reference, which has the same precision',
    async () => {
      const [precision = 'bf16'] = available;
      const batches = await tinyPairs();
      await using training = await TinyTraining.create(backend);
      const config = { ...plainConfig, precision, objective: 'dpo' } as const;
      const { history } = await training.run({ config, batches });
      const first = history.find((entry) => entry.type === 'step');
      expect(first?.loss).toBeCloseTo(Math.log(2), 5);
    },
  );
});

describe('the loss scale', () => {
  it("changes after the steps after which GradScaler's does", () => {
    const { steps, overflows, changes } = torch.scaler;
    let current = initialLossScale;
    const found: [number, number][] = [];
    for (let step = 1; step <= steps; step++) {
      const overflow = overflows.includes(step);
      const entry: HistoryEntry = {
        ...{ type: 'step', step, epoch: 1, loss: 1, learning_rate: 1, tokens: 1 },
        loss_scale: current.scale,
        ...(overflow ? { overflow } : { gradient_norm: 1 }),
      };
      const next = lossScaleAfter(current, entry);
      if (next.scale !== current.scale) found.push([step, next.scale]);
      current = next;
    }
    expect(found).toEqual(changes);
  });

  it('does not go below 1: then numbers overflow by themselves', () => {
    expect(() => checkOverflow(7, 2)).not.toThrow();
    expect(() => checkOverflow(7, 1)).toThrow(
      'in step 7 gradients are too large for fp16, and the loss is not scaled any more',
    );
  });
});

it('a backend without half precision refuses it', async () => {
  await openTensorBackend({ backend: 'onnx' });
  await using training = await TinyTraining.create('onnx');
  const config = { ...plainConfig, precision: 'bf16' } as const;
  await expect(training.run({ config })).rejects.toThrow('the onnx backend has no products in bf16');
  expect(tf.getBackend()).toBe('onnx');
});
