import { type BenchmarkScores, meanScore, remarkOn } from '../benchmark-scores.ts';

const caveat = 'a judge can be gamed: a NullModel with one constant output scored 76.9';

/**
 * AlpacaEval's percentages. A preference is in [1, 2]: 1 for the baseline, 2 for the model, 1.5 or 0 a tie, and between
 * them the judge's probability (v2). The win rate is the mean of preference - 1; the discrete one rounds it first.
 */
export function scorePreferences(preferences: readonly (number | undefined)[]): BenchmarkScores {
  const given = preferences.map((preference) => (preference === 0 ? 1.5 : preference));
  const used = given.filter(isPreference).map((preference) => preference - 1);
  const tally = (matches: (value: number) => boolean): number => used.filter(matches).length;
  const count = used.length;
  return {
    metrics: [
      meanScore({ metric: 'win_rate', values: used, scale: 100 }),
      meanScore({ metric: 'discrete_win_rate', values: used.map(decided), scale: 100 }),
      { metric: 'n_wins', value: tally((value) => value > 0.5), count },
      { metric: 'n_wins_base', value: tally((value) => value < 0.5), count },
      { metric: 'n_draws', value: tally((value) => value === 0.5), count },
    ],
    remarks: [
      ...remarkOn(
        'annotations without a preference from 1 to 2, left out',
        given.flatMap((preference, index) => (isPreference(preference) ? [] : [`[${index}]`])),
      ),
      { text: caveat },
    ],
  };
}

const isPreference = (value: number | undefined): value is number =>
  value !== undefined && value >= 1 && value <= 2;

const decided = (value: number): number => (value === 0.5 ? 0.5 : Math.round(value));
