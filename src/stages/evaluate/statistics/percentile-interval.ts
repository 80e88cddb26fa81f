import { quantile } from './quantile.ts';
import type { Resampling } from './resamples.ts';

/** A bootstrap interval that holds 95 % of the rounds. */
export interface Interval extends Resampling {
  readonly low: number;
  readonly high: number;
  /** Rounds whose resample has no such figure, for example a correlation of equal values; absent where all have. */
  readonly rounds_without_value?: number;
}

/** The .025 and .975 quantiles of what the rounds gave; undefined where no round gave a finite number. */
export function percentileInterval(
  values: readonly number[],
  { rounds, seed }: Resampling,
): Interval | undefined {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const without = rounds - sorted.length;
  return {
    low: quantile(sorted, 0.025),
    high: quantile(sorted, 0.975),
    rounds,
    seed,
    ...(without === 0 ? {} : { rounds_without_value: without }),
  };
}
