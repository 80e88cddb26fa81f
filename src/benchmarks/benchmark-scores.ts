import { UserError } from '../core/index.ts';
import { type Interval, plainMean, type Score } from '../metrics/index.ts';

/** What a scorer found, on the scale of the official tool and under its names. */
export interface BenchmarkScores {
  readonly metrics: readonly BenchmarkScore[];
  readonly remarks: readonly Remark[];
}

export interface BenchmarkScore {
  readonly metric: string;
  /** What it is of, where one benchmark rates several: a model. */
  readonly of?: string;
  readonly value: number;
  /** Of a rank. */
  readonly lower_is_better?: true;
  /** How many items the value rests on. */
  readonly count: number;
  readonly standard_error?: number;
  readonly interval?: Interval;
}

/** What a reader of the scores has to know, such as which items were left out. */
export interface Remark {
  readonly text: string;
  /** The items that it is about. */
  readonly ids?: readonly string[];
}

interface Rated {
  readonly metric: string;
  readonly values: readonly number[];
  /** 100 for a percentage. */
  readonly scale?: number;
}

/** The mean over all items with its standard error. */
export function meanScore({ metric, values, scale = 1 }: Rated): BenchmarkScore {
  if (values.length === 0)
    throw new UserError({
      code: 'nothing-to-score',
      message: `the data has nothing to take \`${metric}\` of`,
    });
  const { mean, standardError } = plainMean(values);
  return {
    metric,
    value: scale * mean,
    count: values.length,
    ...(standardError === undefined ? {} : { standard_error: scale * standardError }),
  };
}

/** A remark in a list, or none where it is about nothing. */
export const remarkOn = (text: string, ids: readonly string[]): readonly Remark[] =>
  ids.length === 0 ? [] : [{ text, ids }];

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
