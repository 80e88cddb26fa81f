import { RandomStream } from '../core/index.ts';

/** What one response scores; a mean counts it by its weight. */
export interface WeightedValue {
  readonly value: number;
  readonly weight: number;
}

/** A value that counts as much as any other. */
export const unweighted = (value: number): WeightedValue => ({ value, weight: 1 });

interface Mean {
  readonly mean: number;
  /** Absent for a single value, which says nothing about the spread. */
  readonly standardError?: number;
}

/** The mean with its standard error sd / sqrt(n), where sd divides by n - 1. */
export const plainMean = (values: readonly number[]): Mean => weightedMean(values.map(unweighted));

/**
 * The mean of `values` by their weights, with the standard error of a ratio estimate,
 * sqrt(n / (n - 1) * sum(w^2 (v - mean)^2)) / sum(w) (Cochran, Sampling Techniques, 6.4);
 * with equal weights that is sd / sqrt(n). Needs at least one value.
 */
export function weightedMean(values: readonly WeightedValue[]): Mean {
  const total = sum(values.map(({ weight }) => weight));
  const mean = sum(values.map(({ value, weight }) => value * weight)) / total;
  const count = values.length;
  if (count < 2) return { mean };
  const squares = sum(values.map(({ value, weight }) => (weight * (value - mean)) ** 2));
  return { mean, standardError: Math.sqrt((count / (count - 1)) * squares) / total };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The quantile of sorted values, interpolated linearly between neighbors, numpy's default; `share` is in [0, 1]. */
export function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** A bootstrap interval that holds 95 % of the rounds' figures. */
export interface Interval extends Resampling {
  readonly low: number;
  readonly high: number;
  /** Rounds whose resample has no such figure, for example a correlation of equal values; absent for none. */
  readonly rounds_without_value?: number;
}

/** The .025 and .975 quantiles of the rounds' figures; undefined if none is finite. */
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

export interface Resampling {
  readonly rounds: number;
  readonly seed: number;
}

/** For each round `count` indices below `count`, drawn with replacement; equal seeds give equal draws. The next round overwrites the array. */
export function* resampledIndices(count: number, { rounds, seed }: Resampling): Generator<Int32Array> {
  const stream = new RandomStream(['bootstrap', seed]);
  const indices = new Int32Array(count);
  for (let round = 0; round < rounds; round += 1) {
    for (let place = 0; place < count; place += 1) indices[place] = Math.floor(stream.uniform() * count);
    yield indices;
  }
}

interface Bootstrap extends Resampling {
  /** The number of units to draw from. */
  readonly count: number;
  /** The figure of the units with these indices. */
  readonly statistic: (indices: readonly number[]) => number;
}

/** Efron's percentile bootstrap of any statistic; undefined if no resample has the figure. */
export function bootstrapInterval({ count, statistic, rounds, seed }: Bootstrap): Interval | undefined {
  const values: number[] = [];
  for (const indices of resampledIndices(count, { rounds, seed })) values.push(statistic([...indices]));
  return percentileInterval(values, { rounds, seed });
}

/** Items by their keys; keys and items keep the order in which they come. */
export function grouped<Item, Key>(
  items: Iterable<Item>,
  keyOf: (item: Item) => Key,
): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
