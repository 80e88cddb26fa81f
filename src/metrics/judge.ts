import { UserError, withinTime } from '../core/index.ts';
import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import { kendall, krippendorffAlpha, pearson, spearman } from './agreement.ts';
import { type Metric, plainly, type RatedResponse, type SetMetric } from './metric.ts';
import type { Rating } from './ratings.ts';
import type { Score } from './scores.ts';
import { bootstrapInterval, plainMean } from './statistics.ts';

/**
 * The mark that a judge gave. A record whose judged answer is empty gets the lowest, as in the reference experiment; a
 * judge's answer without a mark, or with one outside of the scale, is left out of the mean and counted.
 */
export const judgeScore: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response }, { judged_field: field, judge_score: scale }) => {
    if (response.fields[field] === '') return plainly(scale.minimum);
    const mark = readMark((response.response ?? '').trim(), scale.pattern);
    return mark >= scale.minimum && mark <= scale.maximum ? plainly(mark) : undefined;
  },
  leftOutReason: ({ judge_score: { minimum, maximum, pattern } }) =>
    pattern === undefined
      ? `the judge did not answer with an integer from ${minimum} to ${maximum}`
      : `the judge gave no mark from ${minimum} to ${maximum} in the form of \`judge_score.pattern\``,
};

/** For one answer, in milliseconds: a regular expression can take for ever. */
const patience = 1000;

function readMark(answer: string, pattern: EvaluateConfig['judge_score']['pattern']): number {
  if (pattern === undefined) return /^[+-]?\d+$/.test(answer) ? Number(answer) : Number.NaN;
  const found = withinTime(patience, () => [...answer.matchAll(new RegExp(pattern, 'g'))]);
  const mark = found?.value.at(-1)?.[1];
  return mark === undefined || mark.trim() === '' ? Number.NaN : Number(mark);
}

const correlations = { pearson, spearman, kendall };
const resampling = { rounds: 1000, seed: 0 };

/** How a judge's marks go with the mean of people's ratings, with a second judge's marks, or with both. */
export const judgeAgreement: SetMetric = {
  reads: 'text',
  score: (rated, config) => {
    const withPeople = rated.some(({ ratings }) => ratings !== undefined);
    const withJudge = rated.some(({ secondJudge }) => secondJudge !== undefined);
    if (!withPeople && !withJudge) throw nothingToCompare();
    const marks = rated.map((one) => ({
      own: judgeScore.rate(one, config)?.value,
      people: one.ratings?.length ? meanRating(one.ratings) : undefined,
      judge: secondMark(one, config),
    }));
    const metrics = [
      ...(withPeople
        ? correlationScores(
            'people',
            marks.map(({ own, people }) => [own, people]),
          )
        : []),
      ...(withJudge
        ? correlationScores(
            'second judge',
            marks.map(({ own, judge }) => [own, judge]),
          )
        : []),
    ];
    return { metrics, values: new Map() };
  },
};

function secondMark({ secondJudge, expected }: RatedResponse, config: EvaluateConfig): number | undefined {
  if (secondJudge === undefined) return undefined;
  return judgeScore.rate({ response: secondJudge, expected }, config)?.value;
}

type Pair = readonly [number | undefined, number | undefined];

function correlationScores(of: string, pairs: readonly Pair[]): readonly Score[] {
  const both = pairs.filter((pair): pair is readonly [number, number] => !pair.includes(undefined));
  if (both.length === 0 && of === 'people') throw noRatings();
  return Object.entries(correlations).map(([name, correlation]) => {
    const statistic = (indices: readonly number[]) =>
      correlation(
        indices.map((index) => both[index]?.[0] ?? Number.NaN),
        indices.map((index) => both[index]?.[1] ?? Number.NaN),
      );
    const interval = bootstrapInterval({ count: both.length, statistic, ...resampling });
    return {
      metric: `judge_agreement_${name}`,
      of,
      value: statistic([...both.keys()]),
      higher_is_better: true,
      count: both.length,
      ...(interval === undefined ? {} : { interval: { low: interval.low, high: interval.high } }),
    };
  });
}

const nothingToCompare = () =>
  new UserError({
    code: 'nothing-to-compare',
    message: 'the metric `judge_agreement` has nothing to compare the marks with',
    help: "bind people's ratings to the port `ratings`, or another judge's responses to `second_judge`",
  });

/**
 * The mean of people's ratings, each answer counting once; how far the raters of one answer lie apart (the mean standard
 * deviation); and their alphaScore as Krippendorff's alpha.
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
      several.length === 0 ? undefined : alphaScore(several.map(({ ratings }) => ratings)),
    ];
    return {
      metrics: metrics.filter((score) => score !== undefined),
      values: new Map(rows.map(({ id, ratings }) => [id, meanRating(ratings)])),
    };
  },
};

/** The mean over an answer's raters. */
const meanRating = (ratings: readonly Rating[]): number =>
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

function alphaScore(answers: readonly (readonly Rating[])[]): Score | undefined {
  const value = krippendorffAlpha(answers.map((ratings) => ratings.map(({ score }) => score)));
  if (!Number.isFinite(value)) return undefined;
  return { metric: 'human_rating_alpha', value, higher_is_better: true, count: answers.length };
}

/** No rating belongs to any of the responses. */
const noRatings = () =>
  new UserError({
    code: 'nothing-to-score',
    message: 'none of the responses has a rating by a person',
    help: 'rate them with `tuneloom review`, load the file that it writes and bind it to the port `ratings`; ratings belong to an answer as it stood, so that a changed answer has none',
  });
