import type { TrainConfig } from '../generated/train-config.ts';
import { figuresIn, type HistoryEntry } from './history.ts';

/** What early stopping and `keep: best` watch. */
export interface BestMetric {
  /** A figure of an evaluation, or a metric of the model's answers. */
  readonly name: string;
  readonly better: 'higher' | 'lower';
}

type Objective = TrainConfig['objective'];

/** The figures of a validation set that an objective measures and that can be watched. */
export function validationFigures(objective: Objective): ReadonlyMap<string, BestMetric['better']> {
  const margins = [['validation_rewards_margins', 'higher']] as const;
  const accuracies = [['validation_rewards_accuracies', 'higher']] as const;
  return new Map([
    ['validation_loss', 'lower'],
    ...(objective === 'sft' ? [] : margins),
    ...(objective === 'sft' || objective === 'kto' ? [] : accuracies),
  ]);
}

/** The figure that `validation_loss/easy` names, and the set, if there are several. */
export function validationFigure(name: string): { readonly figure: string; readonly set?: string } {
  const [figure = name, ...set] = name.split('/');
  return set.length === 0 ? { figure } : { figure, set: set.join('/') };
}

const validationLoss: BestMetric = { name: 'validation_loss', better: 'lower' };

interface MeasuredValue {
  readonly step: number;
  readonly value: number;
}

/** In the order in which they were measured. */
export const measuredValues = (
  history: readonly HistoryEntry[],
  { name }: Pick<BestMetric, 'name'> = validationLoss,
): readonly MeasuredValue[] =>
  history.flatMap((entry) => {
    const value = figuresIn(entry)[name];
    return value === undefined ? [] : [{ step: entry.step, value }];
  });

/** The step with the best value; the earliest of equals. */
export function bestStep(
  history: readonly HistoryEntry[],
  metric: BestMetric = validationLoss,
): number | undefined {
  const best = measuredValues(history, metric).reduce<MeasuredValue | undefined>(
    (best, next) => (best === undefined || gain(best.value, next.value, metric) > 0 ? next : best),
    undefined,
  );
  return best?.step;
}

/** Whether the last `patience` values in a row were not better than the best before them by more than `min_delta`. */
export function isPatienceExhausted(
  history: readonly HistoryEntry[],
  { patience, min_delta }: NonNullable<TrainConfig['early_stop']>,
  metric: BestMetric = validationLoss,
): boolean {
  let best: number | undefined;
  let waited = 0;
  for (const { value } of measuredValues(history, metric)) {
    const better = best === undefined || gain(best, value, metric) > min_delta;
    waited = better ? 0 : waited + 1;
    if (better) best = value;
  }
  return waited >= patience;
}

/** By how much a value is better than another. */
const gain = (before: number, after: number, { better }: BestMetric): number =>
  better === 'lower' ? before - after : after - before;
