import type { Score } from '../../../ports/scores.ts';
import type { BenchmarkScores } from '../../benchmarks/benchmark-scores.ts';

/** What a scorer of predictions files found, as scores of a stage; `of` says what all of them are about. */
export const fromBenchmark = ({ metrics, remarks }: BenchmarkScores, of?: string): readonly Score[] =>
  metrics.map(({ metric, of: own, value, count, standard_error, interval, lower_is_better }, index) => {
    const about = [of, own].filter((part) => part !== undefined).join(': ');
    const [left] = remarks.filter(({ text, ids }) => ids !== undefined && text.includes('left out'));
    const told = index > 0 ? [] : remarks.filter(({ ids }) => ids === undefined).map(({ text }) => text);
    return {
      metric,
      ...(about === '' ? {} : { of: about }),
      value,
      higher_is_better: !lower_is_better,
      count,
      ...(standard_error === undefined ? {} : { standard_error }),
      ...(interval === undefined ? {} : { interval: { low: interval.low, high: interval.high } }),
      ...(told.length === 0 ? {} : { remark: told.join('; ') }),
      ...(left?.ids === undefined
        ? {}
        : { left_out: { count: left.ids.length, reason: left.text, ids: left.ids } }),
    };
  });
