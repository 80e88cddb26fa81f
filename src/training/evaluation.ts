import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../core/index.ts';
import type { LanguageModel } from '../model/index.ts';
import { type ProductPrecision, withProductPrecision } from '../tensor/index.ts';
import { type BatchPart, type PartLoss, partsOf, type TrainingBatch } from './batch-parts.ts';
import { type Batches, type BatchItem, type BatchRecipe, batchesOf } from './batches/batch-plan.ts';
import { readMeasured } from './gradients.ts';
import type { HistoryEntry } from './history.ts';
import { batchMaker } from './objective.ts';
import { addFigures, type FigureSums, figureMeans, type PreferenceFigures } from './preference/figures.ts';
import type { TrainingState } from './state/training-state.ts';
import type { TrainingTask } from './training-task.ts';

export interface EvaluationSets {
  readonly train: readonly TrainingBatch[];
  readonly validation: readonly TrainingBatch[] | undefined;
  /** Several validation sets, in place of one. */
  readonly named: ReadonlyMap<string, readonly TrainingBatch[]>;
}

/**
 * The batches whose losses are measured, the same at every evaluation: training examples in the order of epoch 0, which
 * is never trained, and the first validation examples in their own order. Batches without a target have no loss and are skipped.
 */
export function evaluationSets(task: TrainingTask): EvaluationSets {
  const { batches, validation, validationSets = new Map<string, Batches>(), config } = task;
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
  const inOrder = ({ examples, recipe }: Batches, port: string) =>
    first({ examples, recipe: { ...recipe, shuffle: false, dropLast: false } }, port);
  return {
    train: first(batches, 'train'),
    validation: validation && inOrder(validation, 'validation'),
    named: new Map([...validationSets].map(([name, set]) => [name, inOrder(set, `validation.${name}`)])),
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
  {
    precision,
    onBatch,
  }: {
    readonly precision: ProductPrecision;
    readonly onBatch: (done: number, total: number) => void;
  },
): Promise<Measured> {
  const { train, validation, named } = sets;
  const total = [train, validation ?? [], ...named.values()].reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  const found: Record<string, number> = {};
  const measure = async (port: string, batches: readonly TrainingBatch[]) => {
    const { loss, figures } = await meanLoss(model, batches, {
      precision,
      onBatch: () => onBatch(done++, total),
    });
    const [set = port, name] = port.split(/\.(.*)/s);
    for (const [figure, value] of Object.entries(figures))
      found[`${set}_${figure}${name === undefined ? '' : `/${name}`}`] = value;
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
  const validation_loss = validation && (await measure('validation', validation));
  const losses: Record<string, number> = {};
  for (const [name, batches] of named) losses[name] = await measure(`validation.${name}`, batches);
  return {
    train_loss,
    ...(validation_loss !== undefined && { validation_loss }),
    ...(named.size > 0 && { validation_losses: losses }),
    ...(Object.keys(found).length > 0 && { figures: found }),
  };
}

type Measured = Pick<
  Extract<HistoryEntry, { type: 'evaluation' }>,
  'train_loss' | 'validation_loss' | 'validation_losses' | 'figures'
>;

/** The mean of the batches' mean losses; each batch counts equally, whatever its number of targets. */
async function meanLoss(
  model: LanguageModel,
  batches: readonly TrainingBatch[],
  { precision, onBatch }: { readonly precision: ProductPrecision; readonly onBatch: () => void },
): Promise<{ readonly loss: number; readonly figures: PreferenceFigures }> {
  let sum = 0;
  let figures: FigureSums = {};
  for (const batch of batches) {
    onBatch();
    const measured = await lossOf(model, batch, precision);
    sum += measured.loss;
    figures = addFigures(figures, measured.figures);
  }
  return { loss: sum / batches.length, figures: figureMeans(figures) };
}

/** The mean over a batch's targets, or over its items. */
async function lossOf(model: LanguageModel, batch: TrainingBatch, precision: ProductPrecision) {
  const { parts, weight } = await partsOf(model, batch, precision);
  let sum = 0;
  let figures: FigureSums = {};
  for (const part of parts) {
    const { loss, measured } = withProductPrecision(precision, () => computedLoss(model, part));
    const [value = Number.NaN] = await loss.data();
    loss.dispose();
    figures = addFigures(figures, (await readMeasured(measured)) ?? {});
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
