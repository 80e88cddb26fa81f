import type { TrainConfig } from '../generated/train-config.ts';
import type { PreferenceFigures } from './preference/figures.ts';

/** What an evaluation measures of each set: its loss, and what a preference objective measures besides. */
export type EvaluationFigures = { readonly train_loss: number; readonly validation_loss?: number } & {
  readonly [Name in keyof PreferenceFigures as `train_${Name}` | `validation_${Name}`]?: number;
};

/** One line of a training's history. Holds no time or throughput: those belong to the run's record. */
export type HistoryEntry =
  | ({
      readonly type: 'step';
      /** 1 is the first optimizer step; 0 is before training. */
      readonly step: number;
      readonly epoch: number;
      /** Mean cross-entropy over the step's targets, or what another objective minimizes. */
      readonly loss: number;
      readonly learning_rate: number;
      /** Euclidean norm over all gradients, before clipping. */
      readonly gradient_norm: number;
      /** Real (unpadded) input tokens since the start. */
      readonly tokens: number;
      /** The loss was a spike, and the step changed no weight. */
      readonly spike?: true;
    } & PreferenceFigures)
  | ({
      readonly type: 'evaluation';
      readonly step: number;
      readonly epoch: number;
    } & EvaluationFigures)
  | {
      readonly type: 'sample';
      readonly step: number;
      readonly epoch: number;
      readonly prompt: string;
      readonly response: string;
    }
  | {
      readonly type: 'end';
      readonly step: number;
      readonly epoch: number;
      readonly best_step?: number;
      readonly reason: 'completed' | 'early_stop' | 'loss_spike';
    };

interface ValidationLoss {
  readonly step: number;
  readonly loss: number;
}

/** In the order in which they were measured. */
export function validationLosses(history: readonly HistoryEntry[]): readonly ValidationLoss[] {
  return history.flatMap((entry) =>
    entry.type === 'evaluation' && entry.validation_loss !== undefined
      ? [{ step: entry.step, loss: entry.validation_loss }]
      : [],
  );
}

/** The loss and the learning rate of the last step, and the validation loss of the last evaluation. */
export function latestFigures(history: readonly HistoryEntry[]): {
  readonly loss?: number;
  readonly learningRate?: number;
  readonly validationLoss?: number;
} {
  const step = history.findLast((entry) => entry.type === 'step');
  const validationLoss = history.findLast((entry) => entry.type === 'evaluation')?.validation_loss;
  return {
    ...(step && { loss: step.loss, learningRate: step.learning_rate }),
    ...(validationLoss !== undefined && { validationLoss }),
  };
}

/** The step with the lowest validation loss; the earliest of equals. */
export function bestStep(history: readonly HistoryEntry[]): number | undefined {
  const best = validationLosses(history).reduce<ValidationLoss | undefined>(
    (best, next) => (best === undefined || next.loss < best.loss ? next : best),
    undefined,
  );
  return best?.step;
}

/** Whether the last `patience` validation losses in a row were not better than the best before them by `min_delta`. */
export function isPatienceExhausted(
  history: readonly HistoryEntry[],
  { patience, min_delta }: NonNullable<TrainConfig['early_stop']>,
): boolean {
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  for (const { loss } of validationLosses(history)) {
    const better = loss < best - min_delta;
    waited = better ? 0 : waited + 1;
    if (better) best = loss;
  }
  return waited >= patience;
}

/**
 * Whether a step's loss is a spike: more than `above` times the median of the last `window` steps' losses. Spikes count
 * in the median too, so a loss that stays high stops being a spike. Before `window` steps there are no spikes.
 */
export function isSpike(
  loss: number,
  {
    history,
    policy,
  }: {
    readonly history: readonly HistoryEntry[];
    readonly policy: Pick<NonNullable<TrainConfig['on_spike']>, 'above' | 'window'>;
  },
): boolean {
  const recent = lastLosses(history, policy.window);
  return recent.length === policy.window && loss > policy.above * medianOf(recent);
}

function lastLosses(history: readonly HistoryEntry[], most: number): readonly number[] {
  const losses: number[] = [];
  for (let index = history.length - 1; index >= 0 && losses.length < most; index--) {
    const entry = history[index];
    if (entry?.type === 'step') losses.push(entry.loss);
  }
  return losses;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return ((sorted[low] ?? 0) + (sorted[high] ?? 0)) / 2;
}
