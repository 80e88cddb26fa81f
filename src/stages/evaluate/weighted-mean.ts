import type { Rating } from './metrics/metric.ts';

export interface Mean {
  readonly mean: number;
  /** Absent for a single rating, which says nothing of the spread. */
  readonly standardError?: number;
}

/**
 * The mean of `values` by their weights, with the standard error of a ratio estimate,
 * sqrt(n / (n - 1) * sum(w^2 (v - mean)^2)) / sum(w) (Cochran, Sampling Techniques, 6.4);
 * with equal weights that is sd / sqrt(n). Needs one rating at least.
 */
export function weightedMean(ratings: readonly Rating[]): Mean {
  const total = sum(ratings.map(({ weight }) => weight));
  const mean = sum(ratings.map(({ value, weight }) => value * weight)) / total;
  const count = ratings.length;
  if (count < 2) return { mean };
  const squares = sum(ratings.map(({ value, weight }) => (weight * (value - mean)) ** 2));
  return { mean, standardError: Math.sqrt((count / (count - 1)) * squares) / total };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
