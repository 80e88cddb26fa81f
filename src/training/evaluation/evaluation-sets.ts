import { type EpochOfExamples, exampleGroups } from '../batches/example-groups.ts';
import { type PaddedBatch, padBatch } from '../batches/pad-batch.ts';
import { TrainingError } from '../training-error.ts';
import { paddingOf, type TrainingTask } from '../training-task.ts';

export interface EvaluationSets {
  readonly train: readonly PaddedBatch[];
  readonly validation: readonly PaddedBatch[] | undefined;
}

/**
 * The batches whose losses are followed, the same at every evaluation: training examples in the order of an epoch 0, which
 * is not trained, and the first validation examples in their own order. Batches without a target have no loss and are left out.
 */
export function evaluationSets(task: TrainingTask): EvaluationSets {
  const { batches, validation, config } = task;
  const padding = paddingOf(task);
  const first = (set: Omit<EpochOfExamples, 'epoch'>, port: string) => {
    const chosen = exampleGroups({ ...set, epoch: 0 })
      .slice(0, config.evaluate.batches)
      .map((group) => padBatch(group, padding))
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
  new TrainingError({
    code: 'nothing-to-evaluate',
    message: `the first ${batches} batches at \`${port}\` have no target, so there is no loss to measure`,
    help: 'the responses were cut off or are masked: raise `max_length` in collate, or drop these records',
  });
