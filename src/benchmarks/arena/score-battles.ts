import { UserError } from '../../core/index.ts';
import { kendall, percentileInterval, type Resampling, resampledIndices } from '../../metrics/index.ts';
import type { BenchmarkScore, BenchmarkScores } from '../benchmark-scores.ts';
import {
  type Battles,
  bradleyTerry,
  type CodedBattles,
  codedBattles,
  countedCodes,
  elo,
  winTable,
} from './ratings.ts';

interface Ratings {
  readonly elo: readonly number[];
  /** Absent if no finite ratings explain the battles. */
  readonly bradleyTerry: readonly number[] | undefined;
}

/** Both ratings of every model, the best first, with bootstrap intervals over battles; ties count half for each. */
export function scoreBattles({ models, battles }: Battles, resampling: Resampling): BenchmarkScores {
  if (battles.length === 0)
    throw new UserError({ code: 'nothing-to-score', message: 'there are no battles' });
  const coded = codedBattles({ models, battles });
  const all = ratingsOf(coded);
  const rounds = resampledRatings(coded, resampling);
  const counts = battleCounts(coded);
  const scoresOf = (kind: keyof Ratings, metric: string): readonly BenchmarkScore[] =>
    models
      .map((model, index): BenchmarkScore => {
        const values = rounds.map((round) => round[kind]?.[index] ?? Number.NaN);
        const interval = percentileInterval(values, resampling);
        return {
          metric,
          of: model,
          value: all[kind]?.[index] ?? Number.NaN,
          count: counts[index] ?? 0,
          ...(interval === undefined ? {} : { interval }),
        };
      })
      .sort((one, other) => other.value - one.value);
  if (all.bradleyTerry === undefined)
    return { metrics: scoresOf('elo', 'elo'), remarks: [{ text: withoutBradleyTerry }] };
  const leaderboard = scoresOf('bradleyTerry', 'bradley_terry');
  const tau = kendall(all.elo, all.bradleyTerry);
  return {
    metrics: [
      ...leaderboard,
      ...rankBounds(leaderboard),
      ...scoresOf('elo', 'elo'),
      // Without a value if either rates all models equally.
      ...(Number.isNaN(tau) ? [] : [{ metric: 'kendall_tau', value: tau, count: models.length }]),
    ],
    remarks: [{ text: 'Elo depends on the order of the battles; kendall_tau says how alike both rank' }],
  };
}

const withoutBradleyTerry =
  'no finite Bradley-Terry ratings: some models only won or only lost against all the others';

const ratingsOf = (battles: CodedBattles): Ratings => ({
  elo: elo(battles),
  bradleyTerry: bradleyTerry(winTable(battles)),
});

/** The number of battles of each model. */
function battleCounts(battles: CodedBattles): readonly number[] {
  const counts = new Array<number>(battles.models).fill(0);
  for (const [code, count] of countedCodes(battles).entries())
    for (const model of [battles.a[code] ?? 0, battles.b[code] ?? 0])
      counts[model] = (counts[model] ?? 0) + count;
  return counts;
}

function resampledRatings(battles: CodedBattles, resampling: Resampling): readonly Ratings[] {
  const { codes } = battles;
  const drawn = new Int32Array(codes.length);
  const rounds: Ratings[] = [];
  for (const indices of resampledIndices(codes.length, resampling)) {
    for (let place = 0; place < indices.length; place += 1) drawn[place] = codes[indices[place] ?? 0] ?? 0;
    rounds.push(ratingsOf({ ...battles, codes: drawn }));
  }
  return rounds;
}

/**
 * Each model's rank by its rating, with bounds: 1 + the number of models whose whole interval lies above its own
 * (Chatbot Arena's rank), and the number of models whose interval does not lie entirely below its own.
 */
export function rankBounds(ratings: readonly BenchmarkScore[]): readonly BenchmarkScore[] {
  return ratings.map(({ of: model, value, interval, count }): BenchmarkScore => {
    const among = (is: (other: BenchmarkScore) => boolean): number => ratings.filter(is).length;
    const rank = 1 + among((other) => other.value > value);
    return {
      metric: 'rank',
      ...(model === undefined ? {} : { of: model }),
      value: rank,
      lower_is_better: true,
      count,
      ...(interval === undefined
        ? {}
        : {
            interval: {
              ...interval,
              low: 1 + among((other) => (other.interval?.low ?? Number.NaN) > interval.high),
              high: ratings.length - among((other) => (other.interval?.high ?? Number.NaN) < interval.low),
            },
          }),
    };
  });
}
