import { describe, expect, it } from 'vitest';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import type { Batches } from '../../src/training/batches/batch-plan.ts';
import { defaultLora } from '../../src/training/lora-settings.ts';
import type { TrainingTask } from '../../src/training/training-task.ts';
import { countingExamples, plainConfig, TinyTraining, tinyBatches } from './tiny-training.ts';

/** `TUNELOOM_LAW_SEED` decides after which steps; with `TUNELOOM_LAW_STOPS` there are more of them. */
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);
const stops = Number(process.env.TUNELOOM_LAW_STOPS ?? 2);

const lora = { ...defaultLora, r: 2, alpha: 4, dropout: 0.2, use_dora: true, modules_to_save: ['ln_f'] };
const dropout = { embedding: 0.1, attention: 0.1, residual: 0.1 } as const;

interface Case {
  readonly config: Partial<TrainConfig>;
  readonly batches?: () => Promise<Batches>;
}

/** Batches that are learned well, then an unseen one, then learned ones again. */
async function withStranger(): Promise<Batches> {
  const strange = countingExamples(3).map((example) => ({
    ...example,
    targets: example.targets.map((_, place) => 58 - place),
  }));
  const learned = Array.from({ length: 15 }, () => countingExamples(3)).flat();
  const recipe = { batchSize: 3, shuffle: false, dropLast: false, seed: 0 };
  return tinyBatches({ examples: [...learned, ...strange, ...learned.slice(0, 12)], recipe });
}

const cases: Readonly<Record<string, Case>> = {
  'with dropout, in micro-batches and shuffled': { config: { dropout, micro_batch_size: 1, clip_norm: 0.5 } },
  'of adapters with dropout, a warm-up and the best kept': {
    config: { lora, dropout, keep: 'best', schedule: { name: 'cosine', warmup_steps: 2 } },
  },
  'that skips spikes': {
    config: {
      epochs: 1,
      optimizer: { ...plainConfig.optimizer, learning_rate: 2e-2 },
      on_spike: { action: 'skip', above: 3, window: 10 },
    },
    batches: withStranger,
  },
  'with Adafactor, its momentum and noise': {
    config: {
      neftune_noise_alpha: 5,
      micro_batch_size: 2,
      optimizer: {
        ...{ name: 'adafactor', learning_rate: 1e-2, weight_decay: 0.1, decay: 'all', beta1: 0.9 },
        ...{ epsilon: [1e-30, 1e-3], clip_threshold: 1, decay_rate: -0.8 },
        ...{ scale_parameter: true, relative_step: false, warmup_init: false },
      },
      keep: 'best',
    },
  },
  'with Lion and layer-wise learning rates': {
    config: {
      optimizer: { name: 'lion', learning_rate: 1e-3, weight_decay: 0.1, decay: 'all', betas: [0.9, 0.99] },
      ...{ layerwise_lr_decay: 0.8, learning_rate_multipliers: { '*.mlp.*': 2 } },
    },
  },
  'with a last batch that is not full': {
    config: {},
    batches: () => tinyBatches({ recipe: { batchSize: 4, shuffle: true, dropLast: false, seed: 9 } }),
  },
};

async function taskOf({ config, batches }: Case): Promise<Partial<TrainingTask>> {
  return {
    config: { ...plainConfig, epochs: 3, ...config },
    validation: await tinyBatches({ examples: countingExamples(4) }),
    ...(batches && { batches: await batches() }),
  };
}

/** Steps in ascending order, below a number, that depend only on the seed and the name. */
function chosenSteps(name: string, total: number): readonly number[] {
  let state = [...`${seed}${name}`].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 2 ** 31, 7);
  const steps = Array.from({ length: stops }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return 1 + (state % (total - 1));
  });
  return [...new Set(steps)].sort((a, b) => a - b);
}

async function abortAfter(training: TinyTraining, task: Partial<TrainingTask>, stop: number): Promise<void> {
  const controller = new AbortController();
  const onProgress = ({ step }: { readonly step: number }) => {
    if (step === stop) controller.abort();
  };
  const run = training.run({ ...task, signal: controller.signal, onProgress });
  await expect(run).rejects.toMatchObject({ name: 'AbortError' });
}

describe.each(Object.entries(cases))('a training %s', (name, one) => {
  it.each(/dropout|Adafactor|Lion/.test(name) ? (['cpu', 'onnx'] as const) : (['cpu'] as const))(
    'that was interrupted after any steps comes to the same bytes as one that was not (%s)',
    async (backend) => {
      await using whole = await TinyTraining.create(backend);
      const due = await whole.run(await taskOf(one));
      const steps = due.history.flatMap((entry) => (entry.type === 'step' ? [entry] : []));
      if (name.includes('spikes')) expect(steps.filter(({ spike }) => spike)).toHaveLength(1);
      await using training = await TinyTraining.create(backend);
      const stopped = chosenSteps(`${name}${backend}`, steps.length);
      for (const stop of stopped) await abortAfter(training, await taskOf(one), stop);
      expect({ stopped, ...(await training.run(await taskOf(one))) }).toEqual({ stopped, ...due });
    },
  );
});
