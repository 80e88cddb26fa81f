import type { TrainConfig } from '../generated/train-config.ts';
import { isPreferenceMeasure, type PreferenceFigures } from './preference/figures.ts';

/** One line of a training's history. Holds no time or throughput: those belong to the run's record. */
export type HistoryEntry =
  | {
      readonly type: 'step';
      /** 1 is the first optimizer step; 0 is before training. */
      readonly step: number;
      readonly epoch: number;
      /** Mean cross-entropy over the step's targets, or what another objective minimizes. */
      readonly loss: number;
      readonly learning_rate: number;
      /** Euclidean norm over all gradients, before clipping; absent where they overflowed. */
      readonly gradient_norm?: number;
      /** Real (unpadded) input tokens since the start. */
      readonly tokens: number;
      /** The loss was a spike, and the step changed no weight. */
      readonly spike?: true;
      /** What the loss was multiplied by for the gradients, in fp16. */
      readonly loss_scale?: number;
      /** The gradients overflowed in fp16, and the step changed no weight. */
      readonly overflow?: true;
      /** What a preference objective measures besides. */
      readonly figures?: PreferenceFigures;
    }
  | {
      readonly type: 'evaluation';
      readonly step: number;
      readonly epoch: number;
      readonly train_loss: number;
      /** Of the only validation set. */
      readonly validation_loss?: number;
      /** Of several, by their names. */
      readonly validation_losses?: Readonly<Record<string, number>>;
      /** What a preference objective measures besides: `train_rewards_margins`, `validation_rewards_accuracies/easy`. */
      readonly figures?: Readonly<Record<string, number>>;
    }
  | {
      readonly type: 'generation';
      readonly step: number;
      readonly epoch: number;
      /** The prompts that the model answered, and the tokens that it wrote. */
      readonly rows: number;
      readonly tokens: number;
      /** What its answers scored. */
      readonly metrics: Readonly<Record<string, number>>;
    }
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
      /** By what that step is the best, if not by the validation loss. */
      readonly best_by?: string;
      readonly reason: 'completed' | 'early_stop' | 'loss_spike';
    };

/** The figures of an entry by the names that people and tools read: `loss`, `validation_loss/easy`, `rouge_l`. */
export function figuresIn(entry: HistoryEntry): Readonly<Record<string, number>> {
  switch (entry.type) {
    case 'step': {
      const { loss, learning_rate, gradient_norm, loss_scale, figures } = entry;
      return {
        ...{ loss, learning_rate },
        ...(gradient_norm !== undefined && { gradient_norm }),
        ...(loss_scale !== undefined && { loss_scale }),
        ...figures,
      };
    }
    case 'evaluation': {
      const { train_loss, validation_loss, validation_losses = {}, figures } = entry;
      const sets = Object.entries(validation_losses).map(([set, loss]) => [`validation_loss/${set}`, loss]);
      return {
        train_loss,
        ...(validation_loss !== undefined && { validation_loss }),
        ...Object.fromEntries(sets),
        ...figures,
      };
    }
    case 'generation':
      return entry.metrics;
    default:
      return {};
  }
}

/** The loss and the learning rate of the last step, and what the last evaluations measured. */
export function latestFigures(history: readonly HistoryEntry[]): {
  readonly loss?: number;
  readonly figures?: PreferenceFigures;
  readonly learningRate?: number;
  /** Validation losses and scores of answers. */
  readonly evaluated: Readonly<Record<string, number>>;
} {
  const step = history.findLast((entry) => entry.type === 'step');
  const [evaluation, generation] = (['evaluation', 'generation'] as const).map((type) =>
    history.findLast((entry) => entry.type === type),
  );
  const evaluated = Object.entries(evaluation === undefined ? {} : figuresIn(evaluation)).filter(
    ([name]) => name.startsWith('validation_loss') || isPreferenceMeasure(name),
  );
  return {
    ...(step && { loss: step.loss, learningRate: step.learning_rate }),
    ...(step?.figures && { figures: step.figures }),
    evaluated: { ...Object.fromEntries(evaluated), ...(generation && figuresIn(generation)) },
  };
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
