import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../src/training/history.ts';
import { isSpike } from '../../src/training/history.ts';
import { countingExamples, plainConfig, TinyTraining, tinyBatches } from './tiny-training.ts';

const policy = { action: 'skip', above: 2, window: 4 } as const;

const historyOf = (losses: readonly number[]): readonly HistoryEntry[] =>
  losses.flatMap((loss, index): HistoryEntry[] => [
    { type: 'step', step: index + 1, epoch: 1, loss, learning_rate: 1, gradient_norm: 1, tokens: 1 },
    { type: 'evaluation', step: index + 1, epoch: 1, train_loss: 9 },
  ]);

describe('a loss is a spike', () => {
  it.each([
    { losses: [1, 2, 3, 4], loss: 5, spike: false },
    { losses: [1, 2, 3, 4], loss: 5.1, spike: true },
    { losses: [9, 1, 2, 3, 4], loss: 5.1, spike: true },
    { losses: [1, 2, 3], loss: 100, spike: false },
    { losses: [1, 50, 50, 50], loss: 99, spike: false },
  ])('above twice the median of the last four: $loss after $losses: $spike', ({ losses, loss, spike }) => {
    expect(isSpike(loss, { history: historyOf(losses), policy })).toBe(spike);
  });
});

/** Batches that are learned well, then one that was never seen. */
async function withStranger() {
  const strange = countingExamples(3).map((example) => ({
    ...example,
    targets: example.targets.map((_, place) => 58 - place),
  }));
  const learned = Array.from({ length: 30 }, () => countingExamples(3)).flat();
  const examples = [...learned, ...strange, ...countingExamples(3)];
  return tinyBatches({ examples, recipe: { batchSize: 3, shuffle: false, dropLast: false, seed: 0 } });
}

const config = {
  ...plainConfig,
  epochs: 1,
  optimizer: { ...plainConfig.optimizer, learning_rate: 2e-2 },
  on_spike: { action: 'skip', above: 3, window: 10 },
} as const;

describe('a spike of the loss', () => {
  const stepsOf = (history: readonly HistoryEntry[]) =>
    history.flatMap((entry) => (entry.type === 'step' ? [{ step: entry.step, spike: entry.spike }] : []));

  it('is skipped: the step changes nothing, and the next is as if it had not happened', async () => {
    await using training = await TinyTraining.create();
    const batches = await withStranger();
    const { history, weights } = await training.run({ batches, config });
    expect(stepsOf(history).filter(({ spike }) => spike)).toEqual([{ step: 31, spike: true }]);
    expect(history.at(-1)).toMatchObject({ step: 32, reason: 'completed' });
    const without = { ...batches, examples: batches.examples.toSpliced(90, 3) };
    await using other = await TinyTraining.create();
    expect((await other.run({ batches: without, config })).weights).toEqual(weights);
  });

  it('ends the training before it changes anything with `action: stop`', async () => {
    await using training = await TinyTraining.create();
    const batches = await withStranger();
    const stop = { ...config, on_spike: { ...config.on_spike, action: 'stop' } } as const;
    const { history, weights } = await training.run({ batches, config: stop });
    expect(history.at(-1)).toEqual({ type: 'end', step: 31, epoch: 1, reason: 'loss_spike' });
    const before = { ...batches, examples: batches.examples.slice(0, 90) };
    await using other = await TinyTraining.create();
    expect((await other.run({ batches: before, config })).weights).toEqual(weights);
  });
});
