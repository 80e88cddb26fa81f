import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../core/index.ts';
import type { LanguageModel } from '../model/index.ts';
import { type BatchPart, type PartLoss, partsOf, type TrainingBatch } from './batch-parts.ts';
import { type BatchItem, type BatchRecipe, batchesOf } from './batches/batch-plan.ts';
import { readMeasured } from './gradients.ts';
import type { EvaluationFigures } from './history.ts';
import { batchMaker } from './objective.ts';
import { addFigures, type FigureSums, figureMeans } from './preference/figures.ts';
import type { TrainingState } from './state/training-state.ts';
import type { TrainingTask } from './training-task.ts';

export interface EvaluationSets {
  readonly train: readonly TrainingBatch[];
  readonly validation: readonly TrainingBatch[] | undefined;
}

/**
 * The batches whose losses are measured, the same at every evaluation: training examples in the order of epoch 0, which
 * is never trained, and the first validation examples in their own order. Batches without a target have no loss and are skipped.
 */
export function evaluationSets(task: TrainingTask): EvaluationSets {
  const { batches, validation, config } = task;
  const makeBatch = batchMaker(task);
  const first = (
    set: { readonly examples: readonly BatchItem[]; readonly recipe: BatchRecipe },
    port: string,
  ) => {
    const chosen = batchesOf({ ...set, epoch: 0 })
      .slice(0, config.evaluate.batches)
      .map(makeBatch)
      .filter((batch) => weightOf(batch) > 0);
    if (chosen.length === 0) throw nothingToEvaluate(port, config.evaluate.batches);
    return chosen;
  };
  const inOrder = validation && { ...validation.recipe, shuffle: false, dropLast: false };
  return {
    train: first(batches, 'train'),
    validation: inOrder && first({ examples: validation.examples, recipe: inOrder }, 'validation'),
  };
}

const weightOf = (batch: TrainingBatch): number => ('parts' in batch ? batch.weight : batch.targetCount);

const nothingToEvaluate = (port: string, batches: number) =>
  new UserError({
    code: 'nothing-to-evaluate',
    message: `the first ${batches} batches at \`${port}\` have no target, so there is no loss to measure`,
    help: 'the responses were cut off or are masked: raise `max_length` in collate, or drop these records',
  });

/**
 * Measures the losses of the current weights, after `state.step` steps, and what a preference objective measures besides.
 * `onBatch` is told of each batch before it.
 */
export async function evaluate(
  { model, step }: TrainingState,
  sets: EvaluationSets,
  onBatch: (done: number, total: number) => void,
): Promise<EvaluationFigures> {
  const total = sets.train.length + (sets.validation?.length ?? 0);
  let done = 0;
  const measure = async (port: 'train' | 'validation') => {
    const { loss, figures } = await meanLoss(model, sets[port] ?? [], () => onBatch(done++, total));
    if (Number.isFinite(loss))
      return Object.fromEntries(
        Object.entries({ loss, ...figures }).map(([name, value]) => [`${port}_${name}`, value]),
      );
    throw new UserError({
      code: 'loss-not-finite',
      message: `after ${step} steps the loss on the examples at \`${port}\` is ${loss}`,
      help:
        step === 0
          ? 'the model was like this before training: check where its weights come from'
          : 'try a lower `optimizer.learning_rate`, a warm-up (`schedule.warmup_steps`) or `clip_norm: 1`',
    });
  };
  const train = await measure('train');
  const validation = sets.validation === undefined ? {} : await measure('validation');
  return { ...train, ...validation } as unknown as EvaluationFigures; // the names are made of the two ports'
}

/** The mean of the batches' mean losses; each batch counts equally, whatever its number of targets. */
async function meanLoss(model: LanguageModel, batches: readonly TrainingBatch[], onBatch: () => void) {
  let sum = 0;
  let figures: FigureSums = {};
  for (const batch of batches) {
    onBatch();
    const measured = await lossOf(model, batch);
    sum += measured.loss;
    figures = addFigures(figures, measured.figures);
  }
  return { loss: sum / batches.length, figures: figureMeans(figures) };
}

/** The mean over a batch's targets, or over its items. */
async function lossOf(model: LanguageModel, batch: TrainingBatch) {
  const { parts, weight } = await partsOf(model, batch);
  let sum = 0;
  let figures: FigureSums = {};
  for (const part of parts) {
    const { loss, measured } = computedLoss(model, part);
    const [value = Number.NaN] = await loss.data();
    loss.dispose();
    figures = addFigures(figures, await readMeasured(measured));
    sum += value * part.weight;
  }
  return { loss: sum / weight, figures };
}

/** The loss of a part and what is measured with it, which the caller disposes of. */
function computedLoss(model: LanguageModel, part: BatchPart): PartLoss {
  let measured: PartLoss['measured'];
  const loss = tf.tidy(() => {
    const computed = part.loss(model);
    measured = computed.measured;
    if (measured !== undefined) tf.keep(measured.values);
    return computed.loss;
  });
  return { loss, ...(measured && { measured }) };
}

/**
 * Losses are measured before training, after the first step and every `every` steps from there, as in
 * LLMs-from-scratch, which counts steps from 0. The last weights are always evaluated too.
 */
export const isEvaluationDue = (step: number, every: number): boolean =>
  step === 0 || (step - 1) % every === 0;
