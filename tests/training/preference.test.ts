import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import type { UnpairedBatches } from '../../src/training/batches/batch-plan.ts';
import type { HistoryEntry } from '../../src/training/history.ts';
import { withReference } from '../../src/training/preference/reference.ts';
import { trainConfig } from './preference-rig.ts';
import { TinyTraining, tinyBatches, tinyModel, tinyPairs } from './tiny-training.ts';

const configOf = (given: JsonObject = {}) =>
  trainConfig({
    ...{ epochs: 3, objective: 'dpo', optimizer: { learning_rate: 2e-3 } },
    ...{ evaluate: { every: 3, batches: 2 }, sample: { max_new_tokens: 3 } },
    ...given,
  } as JsonObject);

const stepsOf = (history: readonly HistoryEntry[]) => history.filter((entry) => entry.type === 'step');

async function tinyAnswers(): Promise<UnpairedBatches> {
  const { examples, ...set } = await tinyPairs();
  return {
    ...set,
    preference: 'unpaired',
    examples: examples.map(({ id, chosen, rejected }, index) => ({
      ...{ id, desirable: index % 3 !== 0 },
      answer: index % 3 !== 0 ? chosen : rejected,
      mismatched: examples[(index + 1) % examples.length]?.rejected ?? rejected,
    })),
  };
}

/** An abort signal that is raised after some steps. */
function afterSteps(count: number) {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress: ({ step }: { readonly step: number }) => {
      if (step >= count) controller.abort(new Error('stopped'));
    },
  };
}

describe('preference tuning', () => {
  it('begins at ln 2, and comes to prefer the preferred answers', async () => {
    await using training = await TinyTraining.create('onnx');
    const all = await tinyPairs();
    const batches = { ...all, examples: all.examples.slice(0, 7) };
    const validation = { ...all, examples: all.examples.slice(7) };
    const { history } = await training.run({ batches, validation, config: configOf({ epochs: 8 }) });
    const [start] = history.filter((entry) => entry.type === 'evaluation');
    expect(start?.train_loss).toBeCloseTo(Math.LN2, 5);
    expect(start?.validation_loss).toBeCloseTo(Math.LN2, 5);
    const last = history.findLast((entry) => entry.type === 'evaluation');
    expect(last?.figures).toMatchObject({
      train_rewards_accuracies: 1,
      validation_rewards_accuracies: expect.any(Number),
    });
    expect(stepsOf(history).at(-1)?.figures).toEqual({
      ...{ rewards_chosen: expect.any(Number), rewards_rejected: expect.any(Number) },
      ...{ rewards_margins: expect.any(Number), rewards_accuracies: 1 },
      ...{ logps_chosen: expect.any(Number), logps_rejected: expect.any(Number) },
    });
  });

  it.each(['dpo', 'ipo', 'simpo', 'orpo', 'kto'] as const)(
    'by %s, interrupted and resumed, gives the same bytes',
    async (objective) => {
      const batches = objective === 'kto' ? await tinyAnswers() : await tinyPairs();
      const config = configOf({ objective, lora: { r: 2 }, micro_batch_size: 2 });
      await using whole = await TinyTraining.create('onnx');
      const expected = await whole.run({ batches, config });
      await using broken = await TinyTraining.create('onnx');
      await expect(broken.run({ batches, config, ...afterSteps(4) })).rejects.toThrow('stopped');
      expect(await broken.run({ batches, config })).toEqual(expected);
    },
  );

  it('compares with the model before training, with or without its log-probabilities in the batches', async () => {
    await openTensorBackend({ backend: 'onnx' });
    const batches = await tinyPairs();
    const model = await openLanguageModel(tinyModel);
    const referred = await withReference(batches, {
      model,
      layout: {
        endOfText: batches.endOfText,
        microBatchSize: 3,
        paddingFree: true,
        multipleOf: 16,
        maxLength: 16,
      },
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    model.dispose();
    await using own = await TinyTraining.create('onnx');
    await using given = await TinyTraining.create('onnx');
    const config = configOf({ epochs: 1, lora: { r: 2 } });
    const [first, second] = [
      await own.run({ batches, config }),
      await given.run({ batches: referred, config }),
    ];
    const lossesOf = ({ history }: typeof first) => stepsOf(history).map(({ loss }) => loss.toFixed(5));
    expect(lossesOf(second)).toEqual(lossesOf(first));
  });

  it('leaves no tensor behind', async () => {
    await openTensorBackend({ backend: 'cpu' });
    const before = tf.memory().numTensors;
    for (const [objective, batches] of [
      ['orpo', await tinyPairs()],
      ['kto', await tinyAnswers()],
    ] as const) {
      await using training = await TinyTraining.create('cpu');
      await training.run({ batches, config: configOf({ objective, epochs: 1 }) });
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('stops early and keeps the best weights by the accuracy on validation pairs', async () => {
    await using training = await TinyTraining.create('onnx');
    const batches = await tinyPairs();
    const { history } = await training.run({
      ...{ batches, validation: batches },
      config: configOf({
        ...{ epochs: 20, keep: 'best', metric_for_best_model: 'validation_rewards_accuracies' },
        ...{
          early_stop: { patience: 2 },
          optimizer: { learning_rate: 1e-2 },
          evaluate: { every: 2, batches: 9 },
        },
      }),
    });
    const accuracies = history.flatMap((entry) =>
      entry.type === 'evaluation' ? [[entry.step, entry.figures?.validation_rewards_accuracies]] : [],
    );
    const best = accuracies.find(([, accuracy]) => accuracy === 1)?.[0];
    expect(history.at(-1)).toMatchObject({
      ...{ best_step: best, best_by: 'validation_rewards_accuracies', reason: 'early_stop' },
    });
  });

  it('is computed before the first step, and stops there when it is aborted', async () => {
    await using training = await TinyTraining.create('cpu');
    const controller = new AbortController();
    const seen: unknown[] = [];
    const run = training.run({
      batches: await tinyPairs(),
      config: configOf(),
      signal: controller.signal,
      onProgress: ({ step, reference }) => {
        seen.push([step, reference]);
        controller.abort(new Error('stopped'));
      },
    });
    await expect(run).rejects.toThrow('stopped');
    expect(seen).toEqual([[0, { done: 0, total: 10 }]]);
  });

  it.each([
    [
      'pairs',
      'sft',
      'paired',
      'set `objective` to `dpo`, `ipo`, `simpo` or `orpo`, or leave `preference` out of format',
    ],
    [
      'pairs',
      'kto',
      'paired',
      'set `objective` to `dpo`, `ipo`, `simpo` or `orpo`, or set `preference: unpaired` in format',
    ],
    ['examples', 'dpo', undefined, 'leave `objective` out, or set `preference: paired` in format'],
    [
      'labeled answers',
      'orpo',
      'unpaired',
      'set `objective` to `kto`, or set `preference: paired` in format',
    ],
  ] as const)('never takes %s for what %s trains on', async (_, objective, preference, help) => {
    await using training = await TinyTraining.create('cpu');
    const batches =
      preference === undefined
        ? await tinyBatches()
        : preference === 'paired'
          ? await tinyPairs()
          : await tinyAnswers();
    await expect(training.run({ batches, config: configOf({ objective }) })).rejects.toMatchObject({
      ...{ code: 'other-kind-of-batches', help },
    });
  });
});
