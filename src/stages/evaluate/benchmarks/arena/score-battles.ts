import { UserError } from '../../../../user-error.ts';
import { kendall } from '../../statistics/kendall.ts';
import { percentileInterval } from '../../statistics/percentile-interval.ts';
import { type Resampling, resamples } from '../../statistics/resamples.ts';
import type { BenchmarkScore, BenchmarkScores } from '../benchmark-scores.ts';
import type { Battle, Battles } from './battle.ts';
import { bradleyTerry } from './bradley-terry.ts';
import { elo } from './elo.ts';
import { winTable } from './win-table.ts';

interface Ratings {
  readonly elo: readonly number[];
  /** Absent where no finite ratings explain the battles. */
  readonly bradleyTerry: readonly number[] | undefined;
}

/** Both ratings of every model, the best first, with intervals over battles drawn again; ties count half for each. */
export function scoreBattles({ models, battles }: Battles, resampling: Resampling): BenchmarkScores {
  if (battles.length === 0)
    throw new UserError({ code: 'nothing-to-score', message: 'there are no battles' });
  const all = rate(models.length, battles);
  const rounds = rateResamples({ models, battles }, resampling);
  const scoresOf = (kind: keyof Ratings, metric: string): readonly BenchmarkScore[] =>
    models
      .map((model, index): BenchmarkScore => {
        const values = rounds.map((round) => round[kind]?.[index] ?? Number.NaN);
        const interval = percentileInterval(values, resampling);
        return {
          metric,
          of: model,
          value: all[kind]?.[index] ?? Number.NaN,
          count: battles.filter(({ a, b }) => a === index || b === index).length,
          ...(interval === undefined ? {} : { interval }),
        };
      })
      .sort((one, other) => other.value - one.value);
  if (all.bradleyTerry === undefined)
    return { metrics: scoresOf('elo', 'elo'), remarks: [{ text: withoutBradleyTerry }] };
  const tau = kendall(all.elo, all.bradleyTerry);
  return {
    metrics: [
      ...scoresOf('bradleyTerry', 'bradley_terry'),
      ...scoresOf('elo', 'elo'),
      // Without a value where either rates all models alike.
      ...(Number.isNaN(tau) ? [] : [{ metric: 'kendall_tau', value: tau, count: models.length }]),
    ],
    remarks: [{ text: 'Elo depends on the order of the battles; kendall_tau says how alike both rank' }],
  };
}

const withoutBradleyTerry =
  'no finite Bradley-Terry ratings: some models only won or only lost against all the others';

const rate = (models: number, battles: readonly Battle[]): Ratings => ({
  elo: elo(models, battles),
  bradleyTerry: bradleyTerry(winTable(models, battles)),
});

function rateResamples({ models, battles }: Battles, resampling: Resampling): readonly Ratings[] {
  const rounds: Ratings[] = [];
  for (const indices of resamples(battles.length, resampling)) {
    const drawn: Battle[] = [];
    for (const index of indices) {
      const battle = battles[index];
      if (battle !== undefined) drawn.push(battle);
    }
    rounds.push(rate(models.length, drawn));
  }
  return rounds;
}
