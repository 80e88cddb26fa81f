/**
 * What a preference objective measures besides its loss, by trl's names: the rewards that it implies, how often that of
 * the preferred answer is the larger, and the log-probabilities of the answers.
 */
export interface PreferenceFigures {
  readonly rewards_chosen?: number;
  readonly rewards_rejected?: number;
  readonly rewards_margins?: number;
  readonly rewards_accuracies?: number;
  readonly logps_chosen?: number;
  readonly logps_rejected?: number;
  /** ORPO: the mean loss of what it learns of the preferred answers. */
  readonly nll_loss?: number;
  readonly log_odds_ratio?: number;
  readonly log_odds_chosen?: number;
  /** KTO: the estimated divergence from the reference. */
  readonly kl?: number;
}

export type FigureName = keyof PreferenceFigures;

/** Figure -> the sum over what it is the mean of, and the count. */
export type FigureSums = Readonly<Partial<Record<FigureName, FigureSum>>>;

interface FigureSum {
  readonly sum: number;
  readonly count: number;
}

export const sumOf = (values: readonly number[]): FigureSum => ({
  sum: values.reduce((total, value) => total + value, 0),
  count: values.length,
});

export const addFigures = (a: FigureSums, b: FigureSums): FigureSums => {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])] as FigureName[]; // the keys of both
  return Object.fromEntries(
    names.map((name) => {
      const [one, other] = [a[name] ?? nothing, b[name] ?? nothing];
      return [name, { sum: one.sum + other.sum, count: one.count + other.count }];
    }),
  );
};

const nothing: FigureSum = { sum: 0, count: 0 };

/** The means; a figure of which nothing was counted is left out. KTO's margin is that of its mean rewards. */
export function figureMeans(sums: FigureSums): PreferenceFigures {
  const means: PreferenceFigures = Object.fromEntries(
    Object.entries(sums).flatMap(([name, { sum, count }]) => (count === 0 ? [] : [[name, sum / count]])),
  );
  const { rewards_chosen: chosen, rewards_rejected: rejected } = means;
  return means.rewards_margins !== undefined || chosen === undefined || rejected === undefined
    ? means
    : { ...means, rewards_margins: chosen - rejected };
}

/** Of the many figures of preferences, those that say how well they are learned: on validation sets. */
export const isPreferenceMeasure = (measure: string): boolean =>
  /^validation_rewards_(accuracies|margins)(\/|$)/.test(measure);
