import { describe, expect, it } from 'vitest';
import { bestStep, isPatienceExhausted, measuredValues } from '../../src/training/best-metric.ts';
import { isEvaluationDue } from '../../src/training/evaluation.ts';
import type { HistoryEntry } from '../../src/training/history.ts';

const losses = (...values: readonly number[]): readonly HistoryEntry[] =>
  values.map((loss, step) => ({ type: 'evaluation', step, epoch: 1, train_loss: 9, validation_loss: loss }));

describe('an evaluation', () => {
  it('is due before training, after the first step and then every N steps', () => {
    const due = Array.from({ length: 14 }, (_, step) => step).filter((step) => isEvaluationDue(step, 5));
    expect(due).toEqual([0, 1, 6, 11]);
  });

  it("is best at the lowest loss, the earliest of equals, whatever the early stop's margin", () => {
    expect(bestStep(losses(3, 2, 1.5, 1.5, 1.9))).toBe(2);
    expect(bestStep([])).toBeUndefined();
  });

  it('ends the training after `patience` evaluations in a row without a better loss', () => {
    const spentAfter = (patience: number, min_delta: number, ...values: readonly number[]) =>
      values.findIndex((_, last) =>
        isPatienceExhausted(losses(...values.slice(0, last + 1)), { patience, min_delta }),
      );
    expect(spentAfter(1, 0, 3, 2, 2.1, 1)).toBe(2);
    expect(spentAfter(2, 0, 3, 2, 2.1, 1, 1.5, 1.4, 0)).toBe(5);
    expect(spentAfter(2, 0.5, 3, 2.8, 2.6, 2.4)).toBe(2);
    expect(spentAfter(3, 0, 3, 2, 1)).toBe(-1);
  });

  it('is found in a history among the other entries', () => {
    const history: readonly HistoryEntry[] = [
      { type: 'evaluation', step: 0, epoch: 0, train_loss: 3, validation_loss: 4 },
      { type: 'step', step: 1, epoch: 1, loss: 3, learning_rate: 1, gradient_norm: 1, tokens: 5 },
      { type: 'evaluation', step: 1, epoch: 1, train_loss: 2 },
      { type: 'evaluation', step: 6, epoch: 1, train_loss: 2, validation_loss: 3.5 },
    ];
    expect(measuredValues(history)).toEqual([
      { step: 0, value: 4 },
      { step: 6, value: 3.5 },
    ]);
  });
});
