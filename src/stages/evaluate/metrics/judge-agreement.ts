import type { EvaluateConfig } from '../../../generated/evaluate-config.ts';
import { UserError } from '../../../user-error.ts';
import type { Score } from '../../ports/scores.ts';
import { bootstrapInterval } from '../statistics/bootstrap-interval.ts';
import { kendall } from '../statistics/kendall.ts';
import { pearson } from '../statistics/pearson.ts';
import { spearman } from '../statistics/spearman.ts';
import { meanRating, noRatings } from './human-rating.ts';
import { judgeScore } from './judge-score.ts';
import type { RatedResponse } from './metric.ts';
import type { SetMetric } from './set-metric.ts';

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
        ? agreement(
            'people',
            marks.map(({ own, people }) => [own, people]),
          )
        : []),
      ...(withJudge
        ? agreement(
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

function agreement(of: string, pairs: readonly Pair[]): readonly Score[] {
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
