import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { type BatchLayout, splitBatch } from '../../src/training/batches/micro-batch.ts';
import { learningRateAt } from '../../src/training/learning-rate-at.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { takeStep } from '../../src/training/take-step.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/training/${name}`, import.meta.url));

/** The settings and measurements of torch-steps.py. */
interface TorchRun {
  readonly learning_rate: number;
  readonly weight_decay: number;
  readonly betas: number[];
  readonly decay: 'all' | 'matrices';
  readonly clip_norm: number | null;
  readonly schedule: 'constant' | 'linear';
  readonly warmup_steps?: number;
  readonly steps: number;
  readonly losses: readonly number[];
  readonly gradient_norms: readonly number[];
}

interface TorchSteps {
  readonly end_of_text: number;
  readonly batches: readonly (readonly { readonly inputs: number[]; readonly targets: number[] }[])[];
  readonly runs: Readonly<Record<string, TorchRun>>;
}

interface Comparison {
  readonly name: string;
  readonly run: TorchRun;
  readonly slicing?: Partial<BatchLayout>;
}

const torch: TorchSteps = JSON.parse(readFileSync(fixture('torch-steps.json'), 'utf8'));

async function trainLike(model: LanguageModel, { run, slicing = {} }: Omit<Comparison, 'name'>) {
  const { learning_rate, weight_decay, betas, decay } = run;
  const optimizer: TrainConfig['optimizer'] = {
    ...{ name: 'adamw', epsilon: 1e-8 },
    ...{ learning_rate, weight_decay, betas, decay },
  };
  const schedule = { name: run.schedule, warmup_steps: run.warmup_steps ?? 0 };
  const state = new TrainingState(model, optimizer);
  const taken = [];
  for (let step = 1; step <= run.steps; step++) {
    const batch = splitBatch(examplesOf(step), {
      ...{ endOfText: torch.end_of_text, multipleOf: 16, microBatchSize: undefined },
      ...slicing,
    });
    const learningRate = learningRateAt({ schedule, peak: learning_rate, step, totalSteps: run.steps });
    taken.push(await takeStep(state, { step, batch, learningRate, clipNorm: run.clip_norm ?? undefined }));
  }
  return { losses: taken.map(({ loss }) => loss), norms: taken.map(({ norm }) => norm) };
}

const examplesOf = (step: number) =>
  (torch.batches[(step - 1) % torch.batches.length] ?? []).map(({ inputs, targets }, row) => ({
    id: `${row}`,
    inputs: Int32Array.from(inputs),
    targets: Int32Array.from(targets),
    promptLength: 1,
  }));

const largestDifference = (ours: ArrayLike<number>, theirs: ArrayLike<number>) =>
  Math.max(...Array.from(ours, (value, index) => Math.abs(value - (theirs[index] ?? Number.NaN))));

/**
 * A key's bias adds the same to all scores of a query, so its gradient is zero except for rounding, which AdamW scales to
 * whole steps: no two implementations agree on it, and nothing depends on it.
 */
function withoutKeyBias(name: string, values: Float32Array): readonly number[] {
  const third = values.length / 3;
  const isKey = (index: number) => name.endsWith('c_attn.bias') && index >= third && index < 2 * third;
  return [...values].filter((_, index) => !isKey(index));
}

/** Runs the training and compares all its results with PyTorch's. */
async function expectParity({ name, run, slicing = {} }: Comparison): Promise<void> {
  const model = await openLanguageModel(fixture('tiny-gpt2'));
  const { losses, norms } = await trainLike(model, { run, slicing });
  await using torchWeights = await openSafetensors(fixture(`torch-steps-${name}.safetensors`));
  const differences = [];
  for (const [parameter, variable] of model.parameters) {
    const ours = withoutKeyBias(parameter, variable.dataSync<'float32'>());
    const theirs = withoutKeyBias(parameter, await torchWeights.readFloat32(parameter));
    differences.push(largestDifference(ours, theirs));
  }
  model.dispose();
  expect(largestDifference(losses, run.losses)).toBeLessThan(1e-5);
  expect(largestDifference(norms, run.gradient_norms)).toBeLessThan(1e-5);
  expect(differences).toHaveLength(torchWeights.tensors.size);
  expect(Math.max(...differences)).toBeLessThan(1e-5);
}

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  it.each(Object.entries(torch.runs))(
    'ten AdamW steps (%s) give the losses, norms and weights of PyTorch',
    (name, run) => expectParity({ name, run }),
  );

  it.each([
    { microBatchSize: 1 },
    { paddingFree: true, multipleOf: 4 },
    { paddingFree: true, microBatchSize: 2 },
  ])('batches computed in another way (%o) give them too', async (slicing) => {
    const { clipped } = torch.runs;
    if (clipped === undefined) throw new Error('torch-steps.py makes a clipped run');
    await expectParity({ name: 'clipped', run: clipped, slicing });
  });
});
