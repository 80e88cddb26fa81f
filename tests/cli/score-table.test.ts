import { expect, test } from 'vitest';
import { scoreTable } from '../../src/cli/summary/score-table.ts';
import type { Score } from '../../src/metrics/scores.ts';

const score = (metric: string, value: number, more: Partial<Score> = {}): Score => ({
  metric,
  value,
  higher_is_better: true,
  count: 10,
  ...more,
});

test('stages with the same metrics are side by side, others below', () => {
  const table = scoreTable(
    [
      { stage: 'before', metrics: [score('exact_match', 0)] },
      { stage: 'humaneval/evaluate', metrics: [score('pass@1', 0.25, { standard_error: 0.1 })] },
      { stage: 'after', metrics: [score('exact_match', 0.5)] },
    ],
    { width: 80 },
  );
  expect(table).toBe(
    [
      '               before   after',
      '  exact_match       0  0.5000',
      '',
      '          humaneval/evaluate',
      '  pass@1       0.2500 ± 0.10',
    ].join('\n'),
  );
});

test('of many figures, those over all records are shown, with a hint to the others', () => {
  const subjects = Array.from({ length: 57 }, (_, index) =>
    score('accuracy', 0.5, { of: `subject ${index}` }),
  );
  const table = scoreTable([{ stage: 'mmlu/evaluate', metrics: [score('accuracy', 0.5), ...subjects] }], {
    width: 80,
  });
  expect(table).toBe(
    [
      '            mmlu/evaluate',
      '  accuracy         0.5000',
      '  mmlu/evaluate: 57 more figures with `tuneloom show mmlu/evaluate`',
    ].join('\n'),
  );
});
