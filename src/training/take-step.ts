import { recycle } from '../tensor/index.ts';
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
  /** Whether a loss is such that the step is to change nothing. */
  readonly isSpike?: ((loss: number) => boolean) | undefined;
}

export interface TakenStep {
  readonly loss: number;
  /** Over all gradients, before clipping. */
  readonly norm: number;
  readonly spike: boolean;
}

/** Moves the weights once: forward, backward, clip, update. A loss that is a spike moves none. */
export async function takeStep(
  state: TrainingState,
  { step, batch, learningRate, clipNorm, dropout, isSpike }: Step,
): Promise<TakenStep> {
  const { loss, gradients } = await lossAndGradients(state.model, { ...batch, dropout });
  try {
    const norm = gradientNorm(gradients.values());
    if (!Number.isFinite(loss)) throw notFinite(step, `the loss is ${loss}`);
    if (!Number.isFinite(norm)) throw notFinite(step, `the norm of the gradients is ${norm}`);
    const spike = isSpike?.(loss) ?? false;
    const gradientScale = clipScale(norm, clipNorm);
    if (!spike)
      state.optimizer.update({ gradients, step: step - state.skipped, learningRate, gradientScale });
    return { loss, norm, spike };
  } finally {
    recycle([...gradients.values()]);
  }
}

const notFinite = (step: number, what: string) =>
  new UserError({
    code: 'loss-not-finite',
    message: `in step ${step} ${what}`,
    help: 'try a lower `optimizer.learning_rate`, a warm-up (`schedule.warmup_steps`) or `clip_norm: 1`',
  });
