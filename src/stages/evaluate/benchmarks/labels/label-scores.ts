import { UserError } from '../../../../user-error.ts';
import { bootstrapInterval } from '../../statistics/bootstrap-interval.ts';
import type { LabelPairs } from '../../statistics/confusion.ts';
import { f1, macroF1 } from '../../statistics/f1.ts';
import { matthews } from '../../statistics/matthews.ts';
import { pearson } from '../../statistics/pearson.ts';
import type { Resampling } from '../../statistics/resamples.ts';
import { spearman } from '../../statistics/spearman.ts';
import { type BenchmarkScore, meanScore } from '../benchmark-scores.ts';

/** How good predicted labels are. Classes are texts; the positive one of two is `1`. */
export type LabelMetric = 'accuracy' | 'f1' | 'macro_f1' | 'matthews' | 'pearson' | 'spearman';

/** Each metric over all pairs: accuracy with its standard error, the others with a bootstrap interval. */
export function scoreLabels(
  pairs: LabelPairs,
  { metrics, classes, resampling }: LabelScoring,
): readonly BenchmarkScore[] {
  const { gold, predicted } = pairs;
  return metrics.map((metric) => {
    if (metric === 'accuracy')
      return meanScore({ metric, values: gold.map((label, index) => (label === predicted[index] ? 1 : 0)) });
    const interval = bootstrapInterval({
      ...resampling,
      count: gold.length,
      statistic: (indices) => figure(metric, { pairs: drawn(pairs, indices), classes }),
    });
    const value = figure(metric, { pairs, classes });
    if (!Number.isFinite(value)) throw withoutSpread(metric);
    return { metric, value, count: gold.length, ...(interval === undefined ? {} : { interval }) };
  });
}

export interface LabelScoring {
  readonly metrics: readonly LabelMetric[];
  readonly classes: readonly string[];
  readonly resampling: Resampling;
}

const withoutSpread = (metric: LabelMetric): UserError =>
  new UserError({
    code: 'no-spread',
    message: `\`${metric}\` has no value: all labels or all predictions are equal`,
  });

function figure(
  metric: Exclude<LabelMetric, 'accuracy'>,
  { pairs, classes }: { pairs: LabelPairs; classes: readonly string[] },
): number {
  switch (metric) {
    case 'f1':
      return f1(pairs, '1');
    case 'macro_f1':
      return macroF1(pairs, classes);
    case 'matthews':
      return matthews(pairs, '1');
    case 'pearson':
      return pearson(pairs.gold.map(Number), pairs.predicted.map(Number));
    case 'spearman':
      return spearman(pairs.gold.map(Number), pairs.predicted.map(Number));
    default:
      return metric satisfies never;
  }
}

const drawn = ({ gold, predicted }: LabelPairs, indices: readonly number[]): LabelPairs => ({
  gold: indices.map((index) => gold[index] ?? ''),
  predicted: indices.map((index) => predicted[index] ?? ''),
});
