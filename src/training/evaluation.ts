import { UserError } from '../core/index.ts';
import { type EpochOfExamples, exampleGroups } from './batches/example-groups.ts';
import { type BatchPieces, batchPieces } from './batches/micro-batch.ts';
import type { HistoryEntry } from './history-entry.ts';
import { meanLoss } from './loss.ts';
import type { TrainingState } from './state/training-state.ts';
import { slicingOf, type TrainingTask } from './training-task.ts';

export interface EvaluationSets {
  readonly train: readonly BatchPieces[];
  readonly validation: readonly BatchPieces[] | undefined;
}

/**
 * The batches whose losses are followed, the same at every evaluation: training examples in the order of an epoch 0, which
 * is not trained, and the first validation examples in their own order. Batches without a target have no loss and are left out.
 */
export function evaluationSets(task: TrainingTask): EvaluationSets {
  const { batches, validation, config } = task;
  const slicing = slicingOf(task);
  const first = (set: Omit<EpochOfExamples, 'epoch'>, port: string) => {
    const chosen = exampleGroups({ ...set, epoch: 0 })
      .slice(0, config.evaluate.batches)
      .map((group) => batchPieces(group, slicing))
      .filter(({ targetCount }) => targetCount > 0);
    if (chosen.length === 0) throw nothingToEvaluate(port, config.evaluate.batches);
    return chosen;
  };
  const inOrder = validation && { ...validation.recipe, shuffle: false, dropLast: false };
  return {
    train: first(batches, 'train'),
    validation: inOrder && first({ examples: validation.examples, recipe: inOrder }, 'validation'),
  };
}

const nothingToEvaluate = (port: string, batches: number) =>
  new UserError({
    code: 'nothing-to-evaluate',
    message: `the first ${batches} batches at \`${port}\` have no target, so there is no loss to measure`,
    help: 'the responses were cut off or are masked: raise `max_length` in collate, or drop these records',
  });

/** Measures the losses of the weights as they are, after `state.step` steps. */
export async function evaluate(
  { model, step }: TrainingState,
  sets: EvaluationSets,
): Promise<{ readonly train_loss: number; readonly validation_loss?: number }> {
  const measure = async (port: 'train' | 'validation') => {
    const loss = await meanLoss(model, sets[port] ?? []);
    if (Number.isFinite(loss)) return loss;
    throw new UserError({
      code: 'loss-not-finite',
      message: `after ${step} steps the loss on the examples at \`${port}\` is ${loss}`,
      help:
        step === 0
          ? 'the model was like this before training: look at where its weights come from'
          : 'try a lower `optimizer.learning_rate`, a warm-up (`schedule.warmup_steps`) or `clip_norm: 1`',
    });
  };
  const train_loss = await measure('train');
  return sets.validation === undefined
    ? { train_loss }
    : { train_loss, validation_loss: await measure('validation') };
}

interface Moment {
  /** How many steps have been taken. */
  readonly step: number;
  readonly every: number;
}

/**
 * Losses are measured before training, after the first step and every `every` steps from there, as in
 * LLMs-from-scratch, whose count of steps begins with 0. The last weights are judged too, whenever they come.
 */
export function isEvaluationDue({ step, every }: Moment): boolean {
  return step === 0 || (step - 1) % every === 0;
}

interface ValidationLoss {
  readonly step: number;
  readonly loss: number;
}

/** The validation losses in a history, in the order in which they were measured. */
export function validationLosses(history: readonly HistoryEntry[]): readonly ValidationLoss[] {
  return history.flatMap((entry) =>
    entry.type === 'evaluation' && entry.validation_loss !== undefined
      ? [{ step: entry.step, loss: entry.validation_loss }]
      : [],
  );
}

/** The step with the lowest loss; the earliest of equals. */
export function bestStep(losses: readonly ValidationLoss[]): number | undefined {
  const best = losses.reduce<ValidationLoss | undefined>(
    (best, next) => (best === undefined || next.loss < best.loss ? next : best),
    undefined,
  );
  return best?.step;
}

interface Patience {
  readonly patience: number;
  /** By how much a loss must fall below the best so far to count as better. */
  readonly min_delta: number;
}

/** Whether the last `patience` losses in a row were no better than the best before them. */
export function isPatienceSpent(
  losses: readonly ValidationLoss[],
  { patience, min_delta }: Patience,
): boolean {
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  for (const { loss } of losses) {
    const better = loss < best - min_delta;
    waited = better ? 0 : waited + 1;
    if (better) best = loss;
  }
  return waited >= patience;
}
