import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLanguageModel } from '../../src/model/language-model.ts';
import {
  HALF_PRECISIONS,
  halfPrecisions,
  openTensorBackend,
  type ProductPrecision,
} from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { learningRateAt } from '../../src/training/learning-rate-at.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { takeStep } from '../../src/training/take-step.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/training/${name}`, import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(fixture(name), 'utf8'));

interface Measured {
  readonly losses: readonly number[];
  readonly gradient_norms: readonly number[];
  readonly loss_scales: readonly number[];
}

const torch: {
  readonly steps: number;
  readonly results: Readonly<Record<ProductPrecision, Measured>>;
} = read('half-steps.json');

/** What the steps of PyTorch were taken with. */
const { end_of_text: endOfText, batches, runs }: TorchSteps = read('torch-steps.json');

interface TorchSteps {
  readonly end_of_text: number;
  readonly batches: readonly (readonly { readonly inputs: number[]; readonly targets: number[] }[])[];
  readonly runs: Readonly<Record<'clipped', ClippedRun>>;
}

interface ClippedRun {
  readonly learning_rate: number;
  readonly weight_decay: number;
  readonly betas: number[];
  readonly clip_norm: number;
  readonly warmup_steps: number;
}

async function trained(precision: ProductPrecision): Promise<Measured> {
  const { learning_rate, weight_decay, betas, clip_norm, warmup_steps } = runs.clipped;
  const model = await openLanguageModel(fixture('tiny-gpt2'));
  const settings = { name: 'adamw', epsilon: 1e-8, decay: 'matrices' } as const;
  using state = new TrainingState(model, { ...settings, learning_rate, weight_decay, betas });
  const measured = { losses: [] as number[], gradient_norms: [] as number[], loss_scales: [] as number[] };
  for (let step = 1; step <= torch.steps; step++) {
    const examples = (batches[(step - 1) % batches.length] ?? []).map(({ inputs, targets }, row) => ({
      ...{ id: `${row}`, promptLength: 1 },
      ...{ inputs: Int32Array.from(inputs), targets: Int32Array.from(targets) },
    }));
    const batch = splitBatch(examples, { endOfText, multipleOf: 16, microBatchSize: undefined });
    const schedule = { name: 'linear', warmup_steps } as const;
    const learningRate = learningRateAt({ schedule, peak: learning_rate, step, totalSteps: torch.steps });
    const taken = await takeStep(state, { step, batch, learningRate, clipNorm: clip_norm, precision });
    measured.losses.push(taken.loss);
    measured.gradient_norms.push(taken.norm);
    measured.loss_scales.push(taken.lossScale ?? 1);
  }
  model.dispose();
  return measured;
}

const largestDifference = (ours: readonly number[], theirs: readonly number[]) =>
  Math.max(...ours.map((value, index) => Math.abs(value - (theirs[index] ?? Number.NaN))));

/** How far a training in half precision is from one in float32, of which PyTorch's is the measure. */
const distances = ({ losses, gradient_norms }: Measured) => {
  const { float32 } = torch.results;
  return {
    losses: largestDifference(losses, float32.losses),
    norms: largestDifference(gradient_norms, float32.gradient_norms),
  };
};

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  test.for(HALF_PRECISIONS)(
    'twenty steps in %s are as close to float32 as those of torch.autocast, by the same loss scales',
    async (precision, context) => {
      if (!halfPrecisions().includes(precision)) context.skip();
      const ours = await trained(precision);
      const [found, theirs] = [distances(ours), distances(torch.results[precision])];
      expect(found.losses).toBeLessThan(3 * theirs.losses);
      expect(found.norms).toBeLessThan(3 * theirs.norms);
      expect(found.losses).toBeGreaterThan(1e-5); // it is not float32
      expect(ours.loss_scales).toEqual(torch.results[precision].loss_scales);
    },
  );
});
