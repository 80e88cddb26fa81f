import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { keptEpochs } from '../../src/training/state/kept-epoch-name.ts';
import type { TrainingTask } from '../../src/training/training-task.ts';
import { countingExamples, plainConfig, TinyTraining, type Trained, tinyBatches } from './tiny-training.ts';

type Config = Partial<TrainConfig>;
type Backend = Parameters<typeof TinyTraining.create>[0];

/** Configurations whose steps do not depend on their number; three steps per epoch. */
const sound: Readonly<Record<string, Config>> = {
  plain: {},
  'evaluated only at the end': { evaluate: { every: 100, batches: 2 } },
  'the best of it, with early stop': { keep: 'best', early_stop: { patience: 2, min_delta: 0 } },
  'stopped in the second epoch': {
    evaluate: { every: 2, batches: 1 },
    early_stop: { patience: 3, min_delta: 9 },
  },
  "stopped at the second epoch's end": {
    evaluate: { every: 5, batches: 1 },
    early_stop: { patience: 2, min_delta: 9 },
  },
  'a warm-up in steps, micro-batches and clipping': {
    schedule: { name: 'constant', warmup_steps: 5 },
    micro_batch_size: 2,
    clip_norm: 0.5,
  },
  'without samples': { sample: { max_new_tokens: 0 } },
};

interface Taught extends Trained {
  /** The steps of this run. */
  readonly steps: readonly number[];
}

async function teach(
  training: TinyTraining,
  epochs: number,
  { config = {}, ...more }: Omit<Partial<TrainingTask>, 'config'> & { config?: Config } = {},
): Promise<Taught> {
  const steps: number[] = [];
  const trained = await training.run({
    validation: await tinyBatches({ examples: countingExamples(4) }),
    config: { ...plainConfig, ...config, epochs },
    // Trainings of different lengths have different keys, and so separate states.
    statePath: join(training.statePath, `attempt-${epochs}`),
    checkpointPath: join(training.statePath, 'checkpoints'),
    onProgress: ({ step, evaluating }) => void (evaluating ?? steps.push(step)),
    ...more,
  });
  return { ...trained, steps };
}

/** All epochs in one training, with nothing kept before. */
async function atOnce(epochs: number, config: Config, backend: Backend = 'cpu'): Promise<Trained> {
  await using training = await TinyTraining.create(backend);
  const { history, weights } = await teach(training, epochs, { config });
  return { history, weights };
}

describe.each(Object.entries(sound))('%s', (_, config) => {
  it.each(['cpu', 'onnx'] as const)(
    'two epochs and then a third equal three in one training (%s)',
    async (backend) => {
      await using training = await TinyTraining.create(backend);
      await teach(training, 2, { config });
      const { steps, ...longer } = await teach(training, 3, { config });
      expect(longer).toEqual(await atOnce(3, config, backend));
      expect(steps.filter((step) => step <= 3)).toEqual([]);
    },
  );

  it('three epochs and then two equal two in one training', async () => {
    await using training = await TinyTraining.create();
    await teach(training, 3, { config });
    const { steps, ...shorter } = await teach(training, 2, { config });
    expect([shorter, steps.filter((step) => step <= 3)]).toEqual([await atOnce(2, config), []]);
  });
});

it('raising the epochs trains the new ones only', async () => {
  await using training = await TinyTraining.create();
  await teach(training, 2);
  const notes: string[] = [];
  const { steps } = await teach(training, 4, { onNote: (note) => void notes.push(note) });
  expect(steps).toEqual([7, 8, 9, 10, 11, 12]);
  expect(notes[0]).toBe('resumes after epoch 2, which is kept from before');
  expect((await teach(training, 3)).steps).toEqual([]);
});

it('keeps only the latest `keep_epochs` epochs', async () => {
  await using training = await TinyTraining.create();
  const kept = async () =>
    keptEpochs(await readdir(join(training.statePath, 'checkpoints')).catch(() => []))
      .map(({ epoch }) => epoch)
      .sort();
  await teach(training, 2, { config: { keep_epochs: 0 } });
  expect(await kept()).toEqual([]);
  await teach(training, 4);
  expect(await kept()).toEqual([3, 4]);
  expect(await readdir(join(training.statePath, 'checkpoints'))).toHaveLength(2);
});

it('does not resume from the state of another engine, nor from one whose bytes have changed', async () => {
  await using training = await TinyTraining.create();
  const folder = join(training.statePath, 'checkpoints');
  await teach(training, 2, { fingerprint: 'another engine' });
  expect((await teach(training, 2)).steps).toEqual([1, 2, 3, 4, 5, 6]);
  for (const name of await readdir(folder)) {
    const bytes = await readFile(join(folder, name));
    const place = bytes.length - 5;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    await writeFile(join(folder, name), bytes);
  }
  const { steps, ...again } = await teach(training, 3);
  expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(again).toEqual(await atOnce(3, {}));
});
