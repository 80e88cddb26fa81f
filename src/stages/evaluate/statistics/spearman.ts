import { pearson } from './pearson.ts';
import { ranks } from './ranks.ts';

/** Spearman's correlation: Pearson's of the ranks. */
export const spearman = (xs: readonly number[], ys: readonly number[]): number =>
  pearson(ranks(xs), ranks(ys));
