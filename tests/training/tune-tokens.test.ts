import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../src/model/folder/model-folder.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { parameterLayout } from '../../src/model/model-config.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { lossAndGradients } from '../../src/training/gradients.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { takeStep } from '../../src/training/take-step.ts';
import { tuneModel } from '../../src/training/tune-model.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const family = (name: string) => join(import.meta.dirname, '../fixtures/model/families', name);
const examples = [
  [3, 7, 7, 21, 4, 9],
  [30, 2, 21, 5],
].map((tokens, row) => ({
  id: `${row}`,
  inputs: Int32Array.from(tokens.slice(0, -1)),
  targets: Int32Array.from(tokens.slice(1)),
  promptLength: 1,
}));
const batch = splitBatch(examples, { endOfText: 30, microBatchSize: undefined });
/** One that is read, one that is read and answered, and one that no example has. */
const tokens = [3, 21, 11];

async function gradientsOf(name: string, given: readonly number[] | undefined) {
  const model = await openLanguageModel(family(name));
  using tuned = tuneModel(model, { config: {}, seed: 1, tokens: given });
  const { loss, gradients } = await lossAndGradients(tuned.model, batch);
  const values = new Map(
    [...gradients].map(([key, gradient]) => [key, gradient.dataSync<'float32'>().slice()]),
  );
  tf.dispose([...gradients.values()]);
  model.dispose();
  return { loss, values, width: model.config.hiddenSize };
}

describe.each(backendsUnderTest)('trainable tokens on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  it.each([
    ['llama', ['model.embed_tokens', 'lm_head']],
    ['gpt2', ['transformer.wte']],
    ['phi', ['model.embed_tokens', 'lm_head']],
  ])(
    'get the gradients that their rows have among all rows (%s), and so does everything else',
    async (name, tables) => {
      const [whole, rows] = [await gradientsOf(name, undefined), await gradientsOf(name, tokens)];
      expect(rows.loss).toBeCloseTo(whole.loss, 6);
      for (const table of tables) {
        const all = whole.values.get(`${table}.weight`) ?? new Float32Array();
        const own = rows.values.get(`${table}.trainable_tokens`) ?? new Float32Array();
        expect(rows.values.has(`${table}.weight`)).toBe(false);
        const chosen = tokens.flatMap((id) => [...all.subarray(id * whole.width, (id + 1) * whole.width)]);
        expect(own.length).toBe(chosen.length);
        expect(Math.max(...chosen.map((value, index) => Math.abs(value - (own[index] ?? 0))))).toBeLessThan(
          1e-6,
        );
      }
      for (const [key, values] of whole.values)
        if (!tables.some((table) => key === `${table}.weight`))
          expect(
            Math.max(...values.map((value, index) => Math.abs(value - (rows.values.get(key)?.[index] ?? 9)))),
          ).toBeLessThan(1e-6);
    },
  );

  it('are the only rows that a training changes, also by weight decay', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tokens-'));
    const model = await openLanguageModel(family('llama'));
    const trainable = ['model.embed_tokens.weight', 'lm_head.weight'];
    using tuned = tuneModel(model, { config: { trainable }, seed: 1, tokens });
    const optimizer = { name: 'adamw', epsilon: 1e-8, betas: [0.9, 0.999], decay: 'all' } as const;
    const settings = {
      ...optimizer,
      betas: [0.9, 0.999] as [number, number],
      learning_rate: 0.01,
      weight_decay: 0.1,
    };
    await using state = new TrainingState(tuned.model, settings);
    for (let step = 1; step <= 2; step++)
      await takeStep(state, { step, batch, learningRate: 0.01, clipNorm: undefined });
    await tuned.save(folder);
    model.dispose();
    await using before = await openModelFolder(family('llama'));
    await using after = await openModelFolder(folder);
    const width = before.config.hiddenSize;
    for (const name of parameterLayout(before.config).keys()) {
      const [old, now] = [await before.read(name), await after.read(name)];
      const changed = new Set<number>();
      for (const [index, value] of now.entries())
        if (value !== old[index]) changed.add(Math.floor(index / width));
      expect([name, ...changed]).toEqual([name, ...(trainable.includes(name) ? [3, 11, 21] : [])]);
    }
    await rm(folder, { recursive: true });
  });

  it('need the embedding or the head among what is trained', async () => {
    const model = await openLanguageModel(family('llama'));
    const config = { trainable: ['model.norm.weight'] };
    expect(() => tuneModel(model, { config, seed: 1, tokens })).toThrow(
      '`trainable_tokens` trains rows of the embedding or the head, and `trainable` selects neither of them',
    );
    model.dispose();
  });
});
