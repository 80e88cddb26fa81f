import { UserError } from '../core/index.ts';
import { recycle } from '../tensor/index.ts';
import type { Batch } from './batches/micro-batch.ts';
import { clipScale, type DropoutByMicroBatch, gradientNorm, lossAndGradients } from './gradients.ts';
import type { TrainingState } from './state/training-state.ts';

/** Updates the weights once: forward, backward, clip, update. A loss spike leaves them unchanged. */
export async function takeStep(
  state: TrainingState,
  {
    step,
    batch,
    learningRate,
    clipNorm,
    dropout,
    isSpike,
  }: {
    /** 1 is the first step. */
    readonly step: number;
    readonly batch: Batch;
    readonly learningRate: number;
    readonly clipNorm: number | undefined;
    readonly dropout?: DropoutByMicroBatch | undefined;
    readonly isSpike?: ((loss: number) => boolean) | undefined;
  },
): Promise<{ readonly loss: number; readonly norm: number; readonly spike: boolean }> {
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
