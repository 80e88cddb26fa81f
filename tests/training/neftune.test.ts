import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/random-stream.ts';
import type { HistoryEntry } from '../../src/training/history.ts';
import { noiseOf } from '../../src/training/neftune.ts';
import { plainConfig, TinyTraining } from './tiny-training.ts';

const config = { ...plainConfig, neftune_noise_alpha: 5 };

const lossesOf = (history: readonly HistoryEntry[], type: 'step' | 'evaluation') =>
  history.flatMap((entry) => {
    if (entry.type !== type) return [];
    return [entry.type === 'step' ? entry.loss : entry.type === 'evaluation' ? entry.train_loss : 0];
  });

describe('NEFTune', () => {
  it('adds uniform noise within alpha / sqrt(L C) to each token of a text of L tokens', () => {
    const hiddenSize = 4096;
    const noise = noiseOf(Int32Array.of(4, 100), {
      alpha: 5,
      hiddenSize,
      random: new RandomStream(['noise']),
    });
    for (const [token, length] of [4, 100].entries()) {
      const own = noise.subarray(token * hiddenSize, (token + 1) * hiddenSize);
      const bound = 5 / Math.sqrt(length * hiddenSize);
      const [mean, square] = [0, 1].map(
        (order) => own.reduce((sum, value) => sum + (order === 0 ? value : value * value), 0) / hiddenSize,
      );
      expect(Math.max(...own.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
      expect(Math.abs((mean ?? 1) / bound)).toBeLessThan(0.05);
      // The variance of a uniform distribution.
      expect((square ?? 0) / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    }
  });

  it('changes the losses of steps and not how they are evaluated', async () => {
    await using plain = await TinyTraining.create();
    await using noisy = await TinyTraining.create();
    const [without, given] = [await plain.run(), await noisy.run({ config })];
    expect(lossesOf(given.history, 'step')[0]).not.toBe(lossesOf(without.history, 'step')[0]);
    expect(lossesOf(given.history, 'evaluation')[0]).toBe(lossesOf(without.history, 'evaluation')[0]);
  });

  it('is the same on every backend, except for rounding', async () => {
    await using one = await TinyTraining.create('cpu');
    await using other = await TinyTraining.create('onnx');
    const [first, second] = [await one.run({ config }), await other.run({ config })];
    const due = lossesOf(second.history, 'step');
    expect(
      lossesOf(first.history, 'step').map((loss, step) => Math.abs(loss - (due[step] ?? 0)) < 1e-4),
    ).toEqual(due.map(() => true));
  });
});
