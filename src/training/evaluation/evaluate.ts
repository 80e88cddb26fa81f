import { UserError } from '../../user-error.ts';
import { meanLoss } from '../loss/mean-loss.ts';
import type { TrainingState } from '../state/training-state.ts';
import type { EvaluationSets } from './evaluation-sets.ts';

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
