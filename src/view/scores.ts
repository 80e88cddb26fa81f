import type { Score } from '../metrics/index.ts';

/** A metric's name with the part that it is of: `accuracy (astronomy)`. */
export const scoreName = ({ metric, of }: Pick<Score, 'metric' | 'of'>): string =>
  of === undefined ? metric : `${metric} (${of})`;

/** More figures than this of one evaluation are reduced to those over all records. */
const MOST_FIGURES = 8;

/** The figures over all records; all figures if they are few, or if each is of a part. */
export function mainScores<Each extends Score>(scores: readonly Each[]): readonly Each[] {
  const overall = scores.filter(({ of }) => of === undefined);
  return scores.length <= MOST_FIGURES || overall.length === 0 ? scores : overall;
}
