import { UserError } from '../user-error.ts';
import type { BatchPieces } from './batches/batch-pieces.ts';
import { type DropoutOfPieces, lossAndGradients } from './loss/loss-and-gradients.ts';
import { clipScale, gradientNorm } from './optimizer/gradient-norm.ts';
import type { TrainingState } from './state/training-state.ts';

interface Step {
  /** 1 is the first step. */
  readonly step: number;
  readonly batch: BatchPieces;
  readonly learningRate: number;
  readonly clipNorm: number | undefined;
  readonly dropout?: DropoutOfPieces | undefined;
}

export interface TakenStep {
  readonly loss: number;
  /** Over all gradients, before clipping. */
  readonly norm: number;
}

/** Moves the weights once: forward, backward, clip, update. */
export async function takeStep(
  state: TrainingState,
  { step, batch, learningRate, clipNorm, dropout }: Step,
): Promise<TakenStep> {
  const { loss, gradients } = await lossAndGradients(state.model, { ...batch, dropout });
  const norm = gradientNorm(gradients.values());
  if (!Number.isFinite(loss)) throw notFinite(step, `the loss is ${loss}`);
  if (!Number.isFinite(norm)) throw notFinite(step, `the norm of the gradients is ${norm}`);
  state.optimizer.update({ gradients, step, learningRate, gradientScale: clipScale(norm, clipNorm) });
  return { loss, norm };
}

const notFinite = (step: number, what: string) =>
  new UserError({
    code: 'loss-not-finite',
    message: `in step ${step} ${what}`,
    help: 'try a lower `optimizer.learning_rate`, a warm-up (`schedule.warmup_steps`) or `clip_norm: 1`',
  });
