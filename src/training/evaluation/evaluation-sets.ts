import { UserError } from '../../user-error.ts';
import { type BatchPieces, batchPieces } from '../batches/batch-pieces.ts';
import { type EpochOfExamples, exampleGroups } from '../batches/example-groups.ts';
import { slicingOf, type TrainingTask } from '../training-task.ts';

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
