import { UserError } from '../core/index.ts';
import { errorField, type Interval, leftOutField, plainMean, type Score } from '../metrics/index.ts';

/** The figures of a scorer, on the scale of the official tool and under its names. */
export interface BenchmarkScores {
  readonly metrics: readonly BenchmarkScore[];
  readonly remarks: readonly Remark[];
  readonly leftOut?: readonly LeftOut[];
}

export interface BenchmarkScore {
  readonly metric: string;
  /** What the figure is about, where a benchmark scores several things: a model. */
  readonly of?: string;
  readonly value: number;
  /** For ranks. */
  readonly lower_is_better?: true;
  /** The number of items that the value rests on. */
  readonly count: number;
  readonly standard_error?: number;
  readonly interval?: Interval;
}

/** What a reader of the figures has to know. */
interface Remark {
  readonly text: string;
  /** The items that it is about. */
  readonly ids?: readonly string[];
}

/** Items that no figure counts. */
interface LeftOut {
  readonly reason: string;
  readonly ids: readonly string[];
}

interface Values {
  readonly metric: string;
  readonly values: readonly number[];
  /** 100 for a percentage. */
  readonly scale?: number;
}

/** The mean over all items with its standard error. */
export function meanScore({ metric, values, scale = 1 }: Values): BenchmarkScore {
  if (values.length === 0)
    throw new UserError({
      code: 'nothing-to-score',
      message: `the data has no items for the metric \`${metric}\``,
    });
  const { mean, standardError } = plainMean(values);
  return {
    metric,
    value: scale * mean,
    count: values.length,
    ...errorField(standardError === undefined ? undefined : scale * standardError),
  };
}

/** The remark in a list, or an empty list if it is about no items. */
export const remarkOn = (text: string, ids: readonly string[]): readonly Remark[] =>
  ids.length === 0 ? [] : [{ text, ids }];

export const leftOutFor = (reason: string, ids: readonly string[]): readonly LeftOut[] =>
  ids.length === 0 ? [] : [{ reason, ids }];

/** The figures as scores of a stage; `of` says what all of them are about. */
export const scoresOf = (
  { metrics, remarks, leftOut: [left] = [] }: BenchmarkScores,
  of?: string,
): readonly Score[] => {
  const remark = remarks.flatMap(({ text, ids }) => (ids === undefined ? [text] : [])).join('; ');
  return metrics.map((score, index) => {
    const about = [of, score.of].filter((part) => part !== undefined).join(': ');
    const { metric, value, count, standard_error: error, interval } = score;
    return {
      metric,
      ...(about === '' ? {} : { of: about }),
      value,
      higher_is_better: !score.lower_is_better,
      count,
      ...errorField(error),
      ...(interval === undefined ? {} : { interval: { low: interval.low, high: interval.high } }),
      ...(index > 0 || remark === '' ? {} : { remark }),
      ...(left && leftOutField(left.reason, left.ids)),
    };
  });
};
