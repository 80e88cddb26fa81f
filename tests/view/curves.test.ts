import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../src/training/index.ts';
import { curvesOf } from '../../src/view/index.ts';

const evaluation = (step: number, train_loss: number, validation_loss?: number): HistoryEntry => ({
  ...{ type: 'evaluation', step, epoch: 1, train_loss },
  ...(validation_loss === undefined ? {} : { validation_loss }),
});
const end = (step: number, best_step?: number): HistoryEntry => ({
  ...{ type: 'end', step, epoch: 1, reason: 'completed' },
  ...(best_step === undefined ? {} : { best_step }),
});
/** Losses of the training and the validation set, ten steps apart. */
const evaluations = (pairs: readonly (readonly [number, number?])[]): readonly HistoryEntry[] =>
  pairs.map(([train, validation], index) => evaluation(10 * index, train, validation));

describe('curves of a history', () => {
  it('separate the losses of steps and evaluations, and name the spikes and the kept step', () => {
    const step = { epoch: 1, learning_rate: 0.1, gradient_norm: 2, tokens: 7 };
    const history: readonly HistoryEntry[] = [
      evaluation(0, 3, 4),
      { type: 'step', step: 1, loss: 3.5, ...step },
      { type: 'step', step: 2, loss: 9, spike: true, ...step },
      { type: 'sample', step: 2, epoch: 1, prompt: 'a', response: 'b' },
      evaluation(2, 2, 3),
      end(2, 2),
    ];
    expect(curvesOf(history, 'last')).toEqual({
      loss: [
        { step: 1, epoch: 1, value: 3.5 },
        { step: 2, epoch: 1, value: 9 },
      ],
      train: [
        { step: 0, epoch: 1, value: 3 },
        { step: 2, epoch: 1, value: 2 },
      ],
      validation: [
        { step: 0, epoch: 1, value: 4 },
        { step: 2, epoch: 1, value: 3 },
      ],
      learning_rate: [
        { step: 1, epoch: 1, value: 0.1 },
        { step: 2, epoch: 1, value: 0.1 },
      ],
      gradient_norm: [
        { step: 1, epoch: 1, value: 2 },
        { step: 2, epoch: 1, value: 2 },
      ],
      spikes: [2],
      best_step: 2,
      kept_step: 2,
    });
  });

  it('hold several validation sets and scores of answers, and the best by what was watched', () => {
    const at = { epoch: 1 };
    const history: readonly HistoryEntry[] = [
      { type: 'evaluation', step: 0, ...at, train_loss: 3, validation_losses: { easy: 4, hard: 5 } },
      { type: 'generation', step: 0, ...at, rows: 2, tokens: 9, metrics: { chrf: 10 } },
      { type: 'evaluation', step: 9, ...at, train_loss: 2, validation_losses: { easy: 5, hard: 6 } },
      { type: 'generation', step: 9, ...at, rows: 2, tokens: 9, metrics: { chrf: 30 } },
      { type: 'end', step: 9, ...at, reason: 'completed', best_step: 9, best_by: 'chrf' },
    ];
    const points = (...values: readonly [number, number]) =>
      values.map((value, index) => ({ step: 9 * index, epoch: 1, value }));
    expect(curvesOf(history, 'best')).toEqual({
      ...{ loss: [], learning_rate: [], gradient_norm: [], spikes: [] },
      train: points(3, 2),
      validation: points(4, 5),
      validation_set: 'easy',
      measures: {
        'validation_loss/easy': points(4, 5),
        'validation_loss/hard': points(5, 6),
        chrf: points(10, 30),
      },
      ...{ best_step: 9, best_by: 'chrf', kept_step: 9 },
    });
  });

  const overfit = evaluations([
    [3, 3],
    [2, 2],
    [1.5, 1.5],
    [1.2, 1.8],
    [1, 2],
    [0.5, 2.5],
  ]);

  it('the last step was kept, or the best, and none while the training goes on', () => {
    expect(curvesOf([...overfit, end(50, 20)], 'last').kept_step).toBe(50);
    expect(curvesOf([...overfit, end(50, 20)], 'best').kept_step).toBe(20);
    expect(curvesOf(overfit, 'best').kept_step).toBe(undefined);
  });

  it('overfitting begins at the lowest validation loss, if from there the training loss falls and the validation loss rises', () => {
    expect(curvesOf(overfit, 'last').overfitting).toEqual({
      ...{ step: 20, epoch: 1, validation_loss: 1.5, last_validation_loss: 2.5 },
    });
  });

  it.each([
    {
      what: 'both losses fall',
      pairs: [
        [3, 3],
        [2, 2],
        [1.5, 1.8],
        [1.2, 1.6],
        [1, 1.5],
      ],
    },
    {
      what: 'two evaluations follow the lowest',
      pairs: [
        [3, 3],
        [2, 2],
        [1.5, 1.5],
        [1.2, 1.8],
        [1, 2],
      ],
    },
    {
      what: 'the validation loss is level',
      pairs: [
        [3, 3],
        [2, 2],
        [1.5, 2.01],
        [1.2, 2],
        [1, 2.02],
      ],
    },
    {
      what: 'the training loss rises too',
      pairs: [
        [3, 3],
        [2, 2],
        [2.5, 2.5],
        [2.6, 2.6],
        [2.7, 2.7],
      ],
    },
    { what: 'there is no validation set', pairs: [[3], [2], [1.5], [1.2], [1]] },
  ] as const)('nothing overfits where $what', ({ pairs }) => {
    expect(curvesOf(evaluations(pairs), 'last').overfitting).toBe(undefined);
  });
});
