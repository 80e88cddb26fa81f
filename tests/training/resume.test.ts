import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TensorBackendName } from '../../src/tensor/index.ts';
import type { HistoryEntry } from '../../src/training/history.ts';
import { defaultLora } from '../../src/training/lora-settings.ts';
import type { TrainingProgress, TrainingTask } from '../../src/training/training-task.ts';
import { countingExamples, plainConfig, TinyTraining, type Trained, tinyBatches } from './tiny-training.ts';

const config = {
  ...plainConfig,
  epochs: 3,
  keep: 'best',
  schedule: { name: 'linear', warmup_steps: 2 },
} as const;
const validated = async () => ({ config, validation: await tinyBatches({ examples: countingExamples(4) }) });

/** Random in every step: what is dropped must not depend on where the training resumed. */
const dropping = {
  ...config,
  lora: { ...defaultLora, r: 2, alpha: 4, dropout: 0.2 },
  dropout: { embedding: 0.1, attention: 0.1, residual: 0.1 },
  micro_batch_size: 2,
} as const;

async function uninterrupted(backend: TensorBackendName = 'cpu'): Promise<Trained> {
  await using training = await TinyTraining.create(backend);
  return await training.run(await validated());
}

async function abortAfter(
  training: TinyTraining,
  step: number,
  given: Partial<TrainingTask> = {},
): Promise<unknown> {
  const controller = new AbortController();
  const onProgress = (progress: { readonly step: number }) => {
    if (progress.step === step) controller.abort();
  };
  const task = { ...(await validated()), ...given, signal: controller.signal, onProgress };
  return training.run(task).then(
    () => 'ended',
    (error: unknown) => error,
  );
}

describe('an interrupted training', () => {
  it.each([
    [1, 'cpu'],
    [5, 'cpu'],
    [5, 'onnx'],
  ] as const)(
    'that was aborted after step %i and begun again gives the same bytes as one that was not (%s)',
    async (step, backend) => {
      await using training = await TinyTraining.create(backend);
      expect(await abortAfter(training, step)).toMatchObject({ name: 'AbortError' });
      const steps: number[] = [];
      const notes: string[] = [];
      const resumed = await training.run({
        ...(await validated()),
        onProgress: ({ step, evaluating }) => void (evaluating ?? steps.push(step)),
        onNote: (note) => void notes.push(note),
      });
      expect(notes[0]).toBe(`resumes after step ${step}, where an earlier attempt saved its state`);
      expect(steps).toEqual(Array.from({ length: 9 - step }, (_, index) => step + index + 1));
      expect(resumed).toEqual(await uninterrupted(backend));
    },
  );

  it.each(['cpu', 'onnx'] as const)(
    'of adapters with dropout comes to the same bytes too (%s)',
    async (backend) => {
      const given = { ...(await validated()), config: dropping };
      await using training = await TinyTraining.create(backend);
      expect(await abortAfter(training, 4, given)).toMatchObject({ name: 'AbortError' });
      await using whole = await TinyTraining.create(backend);
      expect(await training.run(given)).toEqual(await whole.run(given));
    },
  );

  it('does not resume from a state with a single changed bit, in whatever part of it', async () => {
    const whole = await uninterrupted();
    for (const share of [0.02, 0.3, 0.6, 0.99]) {
      await using training = await TinyTraining.create();
      expect(await abortAfter(training, 4)).toMatchObject({ name: 'AbortError' });
      const names = await readdir(training.statePath);
      expect(names).toEqual([expect.stringMatching(/^step-4\.[0-9a-f]{64}\.safetensors$/)]);
      const path = join(training.statePath, names[0] ?? '');
      const bytes = await readFile(path);
      bytes.writeUInt8(
        bytes.readUInt8(Math.floor(bytes.length * share)) ^ 4,
        Math.floor(bytes.length * share),
      );
      await writeFile(path, bytes);
      const steps: number[] = [];
      const onProgress = ({ step, evaluating }: TrainingProgress) => void (evaluating ?? steps.push(step));
      expect(await training.run({ ...(await validated()), onProgress })).toEqual(whole);
      expect(steps[0]).toBe(1);
    }
  });

  it('that was aborted before its first step keeps its evaluation', async () => {
    await using training = await TinyTraining.create();
    const signal = AbortSignal.abort();
    await expect(training.run({ ...(await validated()), signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(await training.run(await validated())).toEqual(await uninterrupted());
  });

  it('that died resumes from the last state it saved', async () => {
    await using training = await TinyTraining.create();
    let hours = 0;
    const steps: number[] = [];
    const slow = {
      ...(await validated()),
      clock: () => hours * 3_600_000,
      onProgress: ({ step, evaluating }: TrainingProgress) => {
        if (evaluating !== undefined) return;
        hours += 1;
        steps.push(step);
      },
    };
    const die = async (entry: HistoryEntry) => {
      if (entry.step === 5) throw new Error('the process is gone');
    };
    await expect(training.run({ ...slow, onEntry: die })).rejects.toThrow('the process is gone');
    const resumed = await training.run(slow);
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(resumed).toEqual(await uninterrupted());
  });

  it('starts over if another engine left the state', async () => {
    await using training = await TinyTraining.create();
    await abortAfter(training, 5);
    const steps: number[] = [];
    await training.run({
      ...(await validated()),
      fingerprint: 'another engine',
      onProgress: ({ step, evaluating }) => void (evaluating ?? steps.push(step)),
    });
    expect(steps[0]).toBe(1);
  });
});
