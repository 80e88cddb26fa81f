import { UserError, withinTime } from '../core/index.ts';
import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import { kendall, krippendorffAlpha, pearson, spearman } from './agreement.ts';
import type { MeanMetric, Metrics, ScoredResponse, SetScores } from './metric.ts';
import type { Rating } from './ratings.ts';
import { leftOutField, meanOf, type Score } from './scores.ts';
import { bootstrapInterval, plainMean, type Resampling, unweighted } from './statistics.ts';

/**
 * A record whose judged answer is empty gets the lowest mark, as in the reference experiment; a judge's answer without a
 * mark, or with one outside the scale, is left out of the mean and counted.
 */
const judgeScore: MeanMetric = {
  better: 'higher',
  reads: 'text',
  measures: "The mean of a judge's marks; the field `judge_score` says how a mark is read.",
  source: '*Build a Large Language Model (From Scratch)*, chapter 7',
  scoreOne: ({ response }, { judged_field: field, judge_score: scale }) => {
    if (response.fields[field] === '') return unweighted(scale.minimum);
    const mark = readMark((response.response ?? '').trim(), scale.pattern);
    return mark >= scale.minimum && mark <= scale.maximum ? unweighted(mark) : undefined;
  },
  leftOutReason: ({ judge_score: { minimum, maximum, pattern } }) =>
    pattern === undefined
      ? `the judge did not answer with an integer from ${minimum} to ${maximum}`
      : `the judge gave no mark from ${minimum} to ${maximum} in the form of \`judge_score.pattern\``,
};

/** Metrics of judges' marks and people's ratings. */
export const judgeMetrics = {
  judge_score: judgeScore,
  judge_agreement: {
    better: 'higher',
    reads: 'text',
    measures:
      "The Pearson, Spearman and Kendall correlations of a judge's marks with the means of people's ratings, with a second judge's marks, or with both.",
    source: 'scipy.stats; intervals by bootstrap',
    scoreAll: scoreAgreement,
  },
  human_rating: {
    better: 'varies',
    reads: 'text',
    measures:
      "The mean of people's ratings, each answer counting once; the mean standard deviation of an answer's raters; and their agreement as Krippendorff's alpha.",
    source: "Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011",
    scoreAll: scoreRatings,
  },
} satisfies Metrics;

/** In milliseconds, for one answer: a regular expression can take forever. */
const patience = 1000;

function readMark(answer: string, pattern: EvaluateConfig['judge_score']['pattern']): number {
  if (pattern === undefined) return /^[+-]?\d+$/.test(answer) ? Number(answer) : Number.NaN;
  const found = withinTime(patience, () => [...answer.matchAll(new RegExp(pattern, 'g'))]);
  const mark = found?.value.at(-1)?.[1];
  return mark === undefined || mark.trim() === '' ? Number.NaN : Number(mark);
}

function scoreAgreement(responses: readonly ScoredResponse[], config: EvaluateConfig): SetScores {
  const withPeople = responses.some(({ ratings }) => ratings !== undefined);
  const withJudge = responses.some(({ secondJudge }) => secondJudge !== undefined);
  if (!withPeople && !withJudge)
    throw new UserError({
      code: 'nothing-to-compare',
      message: 'the metric `judge_agreement` has nothing to compare the marks with',
      help: "bind people's ratings to the port `ratings`, or another judge's responses to `second_judge`",
    });
  const markOf = (one: ScoredResponse) => judgeScore.scoreOne(one, config)?.value;
  const pairsWith = (other: (one: ScoredResponse) => number | undefined): readonly Pair[] =>
    responses.flatMap((one) => {
      const [mark, compared] = [markOf(one), other(one)];
      return mark === undefined || compared === undefined ? [] : [[mark, compared]];
    });
  const withRatings = withPeople ? pairsWith(({ ratings = [] }) => meanRating(ratings)) : undefined;
  if (withRatings?.length === 0) throw noRatings();
  const withMarks = withJudge
    ? pairsWith(({ secondJudge, expected }) => secondJudge && markOf({ response: secondJudge, expected }))
    : undefined;
  const metrics = [
    ...(withRatings ? correlationScores('people', withRatings, config.bootstrap) : []),
    ...(withMarks ? correlationScores('second judge', withMarks, config.bootstrap) : []),
  ];
  return { metrics, values: new Map() };
}

type Pair = readonly [number, number];

const correlations = { pearson, spearman, kendall };

const correlationScores = (of: string, pairs: readonly Pair[], resampling: Resampling): readonly Score[] =>
  Object.entries(correlations).map(([name, correlation]) => {
    const statistic = (indices: readonly number[]) =>
      correlation(
        indices.map((index) => pairs[index]?.[0] ?? Number.NaN),
        indices.map((index) => pairs[index]?.[1] ?? Number.NaN),
      );
    const interval = bootstrapInterval({ count: pairs.length, statistic, ...resampling });
    return {
      metric: `judge_agreement_${name}`,
      of,
      value: statistic([...pairs.keys()]),
      higher_is_better: true,
      count: pairs.length,
      ...(interval === undefined ? {} : { interval: { low: interval.low, high: interval.high } }),
    };
  });

function scoreRatings(responses: readonly ScoredResponse[]): SetScores {
  const answers = responses.map(({ response, ratings = [] }) => ({
    id: response.id,
    ratings,
    mean: meanRating(ratings),
  }));
  const rows = answers.flatMap(({ mean, ...row }) => (mean === undefined ? [] : [{ ...row, mean }]));
  if (rows.length === 0) throw noRatings();
  const unrated = answers.filter(({ mean }) => mean === undefined).map(({ id }) => id);
  const several = rows.filter(({ ratings }) => ratings.length > 1);
  const units = several.map(({ ratings }) => ratings.map(({ score }) => score));
  const deviations = units.map(standardDeviation);
  const alpha = krippendorffAlpha(units);
  const figure = (metric: string, value: number, higher: boolean) =>
    ({ metric, value, higher_is_better: higher, count: several.length }) satisfies Score;
  return {
    metrics: [
      {
        ...meanOf(
          'human_rating',
          rows.map(({ mean }) => mean),
        ),
        ...leftOutField('nobody has rated it', unrated),
      },
      ...(several.length === 0 ? [] : [figure('human_rating_spread', plainMean(deviations).mean, false)]),
      ...(several.length === 0 || !Number.isFinite(alpha) ? [] : [figure('human_rating_alpha', alpha, true)]),
    ],
    values: new Map(rows.map(({ id, mean }) => [id, mean])),
  };
}

/** The mean over an answer's raters; undefined if it has none. */
const meanRating = (ratings: readonly Rating[]): number | undefined =>
  ratings.length === 0 ? undefined : ratings.reduce((total, { score }) => total + score, 0) / ratings.length;

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** No rating belongs to any of the responses. */
const noRatings = () =>
  new UserError({
    code: 'nothing-to-score',
    message: 'none of the responses has a rating by a person',
    help: 'rate them with `tuneloom review`, load the file that it writes and bind it to the port `ratings`; a rating belongs to the exact text of an answer, so a changed answer has none',
  });
