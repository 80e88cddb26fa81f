import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../core/index.ts';
import type { LanguageModel } from '../model/index.ts';
import { type Batches, batchesOf } from './batches/batch-plan.ts';
import { type Batch, splitBatch } from './batches/micro-batch.ts';
import type { HistoryEntry } from './history.ts';
import { batchLoss } from './loss.ts';
import type { TrainingState } from './state/training-state.ts';
import { batchLayout, type TrainingTask } from './training-task.ts';

export interface EvaluationSets {
  readonly train: readonly Batch[];
  readonly validation: readonly Batch[] | undefined;
  /** Several validation sets, in place of one. */
  readonly named: ReadonlyMap<string, readonly Batch[]>;
}

/**
 * The batches whose losses are measured, the same at every evaluation: training examples in the order of epoch 0, which
 * is never trained, and the first validation examples in their own order. Batches without a target have no loss and are skipped.
 */
export function evaluationSets(task: TrainingTask): EvaluationSets {
  const { batches, validation, validationSets = new Map<string, Batches>(), config } = task;
  const layout = batchLayout(task);
  const first = (set: Pick<Batches, 'examples' | 'recipe'>, port: string) => {
    const chosen = batchesOf({ ...set, epoch: 0 })
      .slice(0, config.evaluate.batches)
      .map((examples) => splitBatch(examples, layout))
      .filter(({ targetCount }) => targetCount > 0);
    if (chosen.length === 0) throw nothingToEvaluate(port, config.evaluate.batches);
    return chosen;
  };
  const inOrder = ({ examples, recipe }: Batches, port: string) =>
    first({ examples, recipe: { ...recipe, shuffle: false, dropLast: false } }, port);
  return {
    train: first(batches, 'train'),
    validation: validation && inOrder(validation, 'validation'),
    named: new Map([...validationSets].map(([name, set]) => [name, inOrder(set, `validation.${name}`)])),
  };
}

const nothingToEvaluate = (port: string, batches: number) =>
  new UserError({
    code: 'nothing-to-evaluate',
    message: `the first ${batches} batches at \`${port}\` have no target, so there is no loss to measure`,
    help: 'the responses were cut off or are masked: raise `max_length` in collate, or drop these records',
  });

/** Measures the losses of the current weights, after `state.step` steps. `onBatch` is told of each batch before it. */
export async function evaluate(
  { model, step }: TrainingState,
  sets: EvaluationSets,
  onBatch: (done: number, total: number) => void,
): Promise<Losses> {
  const { train, validation, named } = sets;
  const total = [train, validation ?? [], ...named.values()].reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  const measure = async (port: string, batches: readonly Batch[]) => {
    const loss = await meanLoss(model, batches, () => onBatch(done++, total));
    if (Number.isFinite(loss)) return loss;
    throw new UserError({
      code: 'loss-not-finite',
      message: `after ${step} steps the loss on the examples at \`${port}\` is ${loss}`,
      help:
        step === 0
          ? 'the model was like this before training: check where its weights come from'
          : 'try a lower `optimizer.learning_rate`, a warm-up (`schedule.warmup_steps`) or `clip_norm: 1`',
    });
  };
  const train_loss = await measure('train', train);
  if (validation !== undefined)
    return { train_loss, validation_loss: await measure('validation', validation) };
  if (named.size === 0) return { train_loss };
  const losses: Record<string, number> = {};
  for (const [name, batches] of named) losses[name] = await measure(`validation.${name}`, batches);
  return { train_loss, validation_losses: losses };
}

type Losses = Pick<
  Extract<HistoryEntry, { type: 'evaluation' }>,
  'train_loss' | 'validation_loss' | 'validation_losses'
>;

/** The mean of the batches' mean losses; each batch counts equally, whatever its number of targets. */
async function meanLoss(
  model: LanguageModel,
  batches: readonly Batch[],
  onBatch: () => void,
): Promise<number> {
  let sum = 0;
  for (const batch of batches) {
    onBatch();
    sum += await lossOf(model, batch);
  }
  return sum / batches.length;
}

/** The mean over a batch's targets. */
async function lossOf(model: LanguageModel, { microBatches, targetCount }: Batch): Promise<number> {
  let sum = 0;
  for (const microBatch of microBatches) {
    const loss = tf.tidy(() => batchLoss(model, microBatch));
    const [value = Number.NaN] = await loss.data();
    loss.dispose();
    sum += value * microBatch.targetCount;
  }
  return sum / targetCount;
}

/**
 * Losses are measured before training, after the first step and every `every` steps from there, as in
 * LLMs-from-scratch, which counts steps from 0. The last weights are always evaluated too.
 */
export const isEvaluationDue = (step: number, every: number): boolean =>
  step === 0 || (step - 1) % every === 0;
