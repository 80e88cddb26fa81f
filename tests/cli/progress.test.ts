import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import {
  advance,
  millisecondsLeft,
  type ProgressReport,
  progressBar,
  progressLine,
  progressText,
} from '../../src/cli/reporter/reporter.ts';

const step = (done: number): ProgressReport => ({
  type: 'progress',
  done,
  total: 100,
  unit: 'step',
  figures: { loss: 1.23456, learning_rate: 5e-5, tokens_per_second: 5123.4 },
});

test('the remaining time follows from the average pace since the first report', () => {
  const first = advance(undefined, { report: step(20), at: 1000 });
  const later = advance(first, { report: step(40), at: 5000 });
  // 20 steps in 4 s, 60 steps to go.
  expect([millisecondsLeft(first, 1000), millisecondsLeft(later, 5000)]).toEqual([undefined, 12_000]);
});

test('a count that restarts, as for the next part, sets a new pace', () => {
  const before = advance(undefined, { report: step(90), at: 1000 });
  expect(advance(before, { report: step(1), at: 9000 }).first).toEqual({ at: 9000, done: 1 });
});

test('a line of progress shows the count, figures and the remaining time', () => {
  const first = advance(undefined, { report: step(20), at: 1000 });
  const later = advance(first, { report: step(40), at: 5000 });
  expect(progressText(later, { now: 5000, columns: 80 })).toBe(
    'step 40/100  ETA 12.0 s  loss 1.235  lr 5e-5  5,123 tokens/s',
  );
});

test('without a total there is neither a bar nor a time', () => {
  const report: ProgressReport = { type: 'progress', done: 1234, unit: 'record' };
  const progress = advance(advance(undefined, { report: { ...report, done: 1 }, at: 0 }), {
    report,
    at: 1000,
  });
  expect([
    progressText(progress, { now: 1000, columns: 80 }),
    progressBar(report),
    progressBar(step(50), 4),
  ]).toEqual(['record 1,234', '', '██░░']);
});

test('a line has the time left first and as many figures as fit, and a bar where two of them have room beside it', () => {
  const report: ProgressReport = {
    ...{ type: 'progress', unit: 'step', done: 40, total: 100 },
    figures: { loss: 1.2346, validation_loss: 1.5, tokens_per_second: 5123.4, learning_rate: 5e-5 },
    phase: { name: 'evaluating', done: 3, total: 20 },
  };
  const progress = advance(advance(undefined, { report: { ...report, done: 20 }, at: 1000 }), {
    report,
    at: 5000,
  });
  const colors = createColors(false);
  const widths = [100, 76, 64, 40, 20];
  expect(widths.map((columns) => progressLine(progress, { now: 5000, columns, colors }))).toEqual([
    '██████░░░░░░░░░░ step 40/100  evaluating 3/20  ETA 12.0 s  loss 1.235  validation 1.500',
    '██████░░░░░░░░░░ step 40/100  evaluating 3/20  ETA 12.0 s  loss 1.235',
    '███░░░░░ step 40/100  evaluating 3/20  ETA 12.0 s  loss 1.235',
    'step 40/100  evaluating 3/20  ETA 12.0 s',
    'step 40/100',
  ]);
});
