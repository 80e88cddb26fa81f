import { type Interval, percentileInterval } from './percentile-interval.ts';
import { type Resampling, resamples } from './resamples.ts';

interface Bootstrap extends Resampling {
  /** How many units are drawn from. */
  readonly count: number;
  /** The figure of the units with these indices. */
  readonly statistic: (indices: readonly number[]) => number;
}

/** Efron's percentile bootstrap of any statistic, seeded; undefined where no resample has the figure. */
export function bootstrapInterval({ count, statistic, rounds, seed }: Bootstrap): Interval | undefined {
  const values: number[] = [];
  for (const indices of resamples(count, { rounds, seed })) values.push(statistic(indices));
  return percentileInterval(values, { rounds, seed });
}
