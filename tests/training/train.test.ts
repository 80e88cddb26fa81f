import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { crossEntropy } from '../../src/tensor/index.ts';
import type { HistoryEntry } from '../../src/training/history.ts';
import { sampleStart } from '../../src/training/sample.ts';
import { countingExamples, plainConfig, TinyTraining, tinyBatches } from './tiny-training.ts';

/** Examples that count downwards: a model that learns to count upwards gets worse at them. */
const contraryExamples = () =>
  countingExamples(4).map(({ targets, ...example }) => ({
    ...example,
    targets: Int32Array.from(example.inputs, (_, index) =>
      index === 0 ? 59 : (example.inputs[index - 1] ?? 0),
    ),
  }));

const only = <Type extends HistoryEntry['type']>(history: readonly HistoryEntry[], type: Type) =>
  history.filter((entry): entry is Extract<HistoryEntry, { type: Type }> => entry.type === type);

describe('a training', () => {
  it('evaluates, steps and samples in this order, and says how it ended', async () => {
    await using training = await TinyTraining.create();
    const { history } = await training.run({
      validation: await tinyBatches({ examples: countingExamples(4) }),
    });
    expect(history.map(({ type, step, epoch }) => `${epoch} ${step} ${type}`)).toEqual([
      '0 0 evaluation',
      '1 1 step',
      '1 1 evaluation',
      '1 2 step',
      '1 3 step',
      '1 3 sample',
      '2 4 step',
      '2 4 evaluation',
      '2 5 step',
      '2 6 step',
      '2 6 evaluation',
      '2 6 sample',
      '2 6 end',
    ]);
    expect(history.at(-1)).toEqual({ type: 'end', step: 6, epoch: 2, best_step: 6, reason: 'completed' });
  });

  it('gives the same history and weights, bit for bit, every time', async () => {
    await using first = await TinyTraining.create();
    await using second = await TinyTraining.create();
    expect(await first.run()).toEqual(await second.run());
  });

  it('lowers the loss on what it learns', async () => {
    await using training = await TinyTraining.create();
    const { history } = await training.run({ config: { ...plainConfig, epochs: 20 } });
    const losses = only(history, 'evaluation').map(({ train_loss }) => train_loss);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
  });

  it('measures the validation loss on the examples in their order, the smaller last batch too', async () => {
    await using training = await TinyTraining.create();
    const config = { ...plainConfig, epochs: 1 };
    const recipe = { batchSize: 3, shuffle: false, dropLast: false, seed: 0 };
    const losses = [];
    for (const change of [{}, { shuffle: true, dropLast: true }]) {
      const validation = await tinyBatches({
        examples: countingExamples(4),
        recipe: { ...recipe, ...change },
      });
      const { history } = await training.run({ config, validation });
      losses.push(only(history, 'evaluation').map(({ validation_loss }) => validation_loss));
    }
    expect(losses[0]).toEqual(losses[1]);
  });

  it('orders the examples by its own seed if it has one, else by that of the recipe', async () => {
    await using training = await TinyTraining.create();
    const { recipe } = await tinyBatches();
    const losses = async (seed: number, own?: number) => {
      const config = { ...plainConfig, ...(own === undefined ? {} : { seed: own }) };
      const batches = await tinyBatches({ recipe: { ...recipe, seed } });
      return only((await training.run({ config, batches })).history, 'step').map(({ loss }) => loss);
    };
    expect(await losses(1, 2)).toEqual(await losses(2));
    expect(await losses(1)).not.toEqual(await losses(2));
  });

  it('has the same losses except for rounding, however far its batches are padded', async () => {
    await using training = await TinyTraining.create();
    const losses = async (pad_to_multiple_of: number) => {
      const { history } = await training.run({ config: { ...plainConfig, pad_to_multiple_of } });
      return only(history, 'step').map(({ loss }) => loss.toFixed(4));
    };
    expect(await losses(16)).toEqual(await losses(1));
  });

  it('leaves no tensor behind', async () => {
    await using training = await TinyTraining.create();
    await training.run();
    const { numTensors, numDataBuffers } = tf.memory();
    await training.run();
    expect({ ...tf.memory() }).toMatchObject({ numTensors, numDataBuffers });
  });
});

/** What the model learns contradicts these examples, so their loss falls first and then rises. */
describe('the validation loss', () => {
  const everyTwo = { ...plainConfig, evaluate: { every: 2, batches: 2 } };
  const contradicted = async () => ({ validation: await tinyBatches({ examples: contraryExamples() }) });

  it('decides which weights `keep: best` keeps: those of its lowest point, although training continued', async () => {
    await using training = await TinyTraining.create();
    const ports = await contradicted();
    const best = await training.run({ ...ports, config: { ...everyTwo, epochs: 9, keep: 'best' } });
    const stoppedThere = await training.run({ ...ports, config: { ...everyTwo, epochs: 5 } });
    expect(best.history.at(-1)).toMatchObject({ step: 27, best_step: 15, reason: 'completed' });
    expect(best.weights).toEqual(stoppedThere.weights);
  });

  it('ends the training after `patience` evaluations without improvement', async () => {
    await using training = await TinyTraining.create();
    const config = { ...everyTwo, epochs: 30, early_stop: { patience: 2, min_delta: 0 } };
    const { history } = await training.run({ ...(await contradicted()), config });
    const losses = only(history, 'evaluation').map(({ validation_loss = 0 }) => validation_loss);
    const [best = 0, ...worse] = losses.slice(-3);
    expect(worse.every((loss) => loss > best)).toBe(true);
    expect(history.at(-1)).toEqual({ type: 'end', step: 19, epoch: 7, best_step: 15, reason: 'early_stop' });
  });
});

describe('a sample', () => {
  const example = { id: 'one', inputs: Int32Array.of(1, 2, 3, 4, 5), promptLength: 2 };
  const startWith = (...targets: readonly number[]) =>
    sampleStart({ ...example, targets: Int32Array.from(targets) });

  it('starts after the prompt, and after the header if its targets are masked', () => {
    expect(startWith(2, 3, 4, 5, 59)).toBe(2);
    expect(startWith(-100, 3, 4, 5, 59)).toBe(2);
    expect(startWith(-100, -100, -100, 5, 59)).toBe(4);
    expect(startWith(-100, -100, -100, -100, -100)).toBe(2);
  });

  it('is not written with `max_new_tokens: 0`', async () => {
    await using training = await TinyTraining.create();
    const { history } = await training.run({
      config: { ...plainConfig, epochs: 1, sample: { max_new_tokens: 0 } },
    });
    expect(only(history, 'sample')).toEqual([]);
  });
});

describe('the loss', () => {
  const logits = [
    [-1, 1],
    [-0.5, 1.5],
    [-0.5, 1.5],
  ];
  const loss = (rows: number, targets: readonly number[]) =>
    tf.tidy(() => {
      const value = crossEntropy({
        logits: tf.tensor2d(logits.slice(0, rows)),
        targets: tf.tensor1d([...targets], 'int32'),
      });
      return value.dataSync()[0]?.toFixed(4);
    });

  it("is the mean over the targets that count, with the reference's numbers", () => {
    expect([loss(2, [0, 1]), loss(3, [0, 1, 1]), loss(3, [0, 1, -100])]).toEqual([
      '1.1269',
      '0.7936',
      '1.1269',
    ]);
  });
});
