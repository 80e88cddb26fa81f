import { UserError } from '../core/index.ts';
import type { LanguageModel } from '../model/index.ts';
import { recycle } from '../tensor/index.ts';
import type { TrainingBatch } from './batch-parts.ts';
import { clipScale, type DropoutByMicroBatch, gradientNorm, lossAndGradients } from './gradients.ts';
import { figureMeans, type PreferenceFigures } from './preference/figures.ts';
import type { TrainingState } from './state/training-state.ts';

interface TakenStep {
  readonly loss: number;
  /** Of all gradients, before clipping. */
  readonly norm: number;
  readonly spike: boolean;
  readonly figures?: PreferenceFigures;
}

/** Updates the weights once: forward, backward, clip, update. A loss spike leaves them unchanged. */
export async function takeStep(
  state: TrainingState,
  {
    step,
    batch,
    model = state.model,
    learningRate,
    clipNorm,
    dropout,
    isSpike,
  }: {
    /** 1 is the first step. */
    readonly step: number;
    readonly batch: TrainingBatch;
    /** The model as this step reads with it; by default that of the state. */
    readonly model?: LanguageModel | undefined;
    readonly learningRate: number;
    readonly clipNorm: number | undefined;
    readonly dropout?: DropoutByMicroBatch | undefined;
    readonly isSpike?: ((loss: number) => boolean) | undefined;
  },
): Promise<TakenStep> {
  const { loss, gradients, figures } = await lossAndGradients(model, { ...batch, dropout });
  try {
    const norm = gradientNorm(gradients.values());
    if (!Number.isFinite(loss)) throw notFinite(step, `the loss is ${loss}`);
    if (!Number.isFinite(norm)) throw notFinite(step, `the norm of the gradients is ${norm}`);
    const spike = isSpike?.(loss) ?? false;
    const gradientScale = clipScale(norm, clipNorm);
    if (!spike)
      state.optimizer.update({ gradients, step: step - state.skipped, learningRate, gradientScale });
    return { loss, norm, spike, ...(figures && { figures: figureMeans(figures) }) };
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
