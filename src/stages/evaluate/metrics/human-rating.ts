import { UserError } from '../../../user-error.ts';
import type { Score } from '../../ports/scores.ts';
import type { Rating } from '../ratings/read-ratings.ts';
import { krippendorffAlpha } from '../statistics/krippendorff-alpha.ts';
import { plainMean } from '../statistics/plain-mean.ts';
import type { SetMetric } from './set-metric.ts';

/**
 * The mean of people's ratings, each answer counting once; how far the raters of one answer lie apart (the mean standard
 * deviation); and their agreement as Krippendorff's alpha.
 */
export const humanRating: SetMetric = {
  reads: 'text',
  score: (rated) => {
    const answers = rated.map(({ response, ratings = [] }) => ({ id: response.id, ratings }));
    const rows = answers.filter(({ ratings }) => ratings.length > 0);
    if (rows.length === 0) throw noRatings();
    const unrated = answers.filter(({ ratings }) => ratings.length === 0).map(({ id }) => id);
    const { mean, standardError } = plainMean(rows.map(({ ratings }) => meanRating(ratings)));
    const several = rows.filter(({ ratings }) => ratings.length > 1);
    const metrics: readonly (Score | undefined)[] = [
      {
        metric: 'human_rating',
        value: mean,
        higher_is_better: true,
        count: rows.length,
        ...(standardError === undefined ? {} : { standard_error: standardError }),
        ...(unrated.length === 0
          ? {}
          : { left_out: { count: unrated.length, reason: 'nobody has rated it', ids: unrated } }),
      },
      several.length === 0 ? undefined : spread(several.map(({ ratings }) => ratings)),
      several.length === 0 ? undefined : agreement(several.map(({ ratings }) => ratings)),
    ];
    return {
      metrics: metrics.filter((score) => score !== undefined),
      values: new Map(rows.map(({ id, ratings }) => [id, meanRating(ratings)])),
    };
  },
};

/** The mean over an answer's raters. */
export const meanRating = (ratings: readonly Rating[]): number =>
  ratings.reduce((total, { score }) => total + score, 0) / ratings.length;

function spread(answers: readonly (readonly Rating[])[]): Score {
  const { mean: value } = plainMean(answers.map(deviation));
  return { metric: 'human_rating_spread', value, higher_is_better: false, count: answers.length };
}

function deviation(ratings: readonly Rating[]): number {
  const mean = meanRating(ratings);
  const squares = ratings.reduce((total, { score }) => total + (score - mean) ** 2, 0);
  return Math.sqrt(squares / (ratings.length - 1));
}

function agreement(answers: readonly (readonly Rating[])[]): Score | undefined {
  const value = krippendorffAlpha(answers.map((ratings) => ratings.map(({ score }) => score)));
  if (!Number.isFinite(value)) return undefined;
  return { metric: 'human_rating_alpha', value, higher_is_better: true, count: answers.length };
}

/** No rating belongs to any of the responses. */
export const noRatings = () =>
  new UserError({
    code: 'nothing-to-score',
    message: 'none of the responses has a rating by a person',
    help: 'rate them with `tuneloom review`, load the file that it writes and bind it to the port `ratings`; ratings belong to an answer as it stood, so that a changed answer has none',
  });
