import { plainly } from '../metrics/metric.ts';
import { type Mean, weightedMean } from '../weighted-mean.ts';

/** The mean of `values`, each counted once, with the standard error sd / sqrt(n), where sd divides by n - 1. */
export const plainMean = (values: readonly number[]): Mean => weightedMean(values.map(plainly));
