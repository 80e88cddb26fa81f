import { UserError } from '../core/index.ts';
import type { LanguageModel } from '../model/index.ts';
import { type ProductPrecision, recycle } from '../tensor/index.ts';
import type { TrainingBatch } from './batch-parts.ts';
import { clipScale, type DropoutByMicroBatch, gradientNorm, lossAndGradients } from './gradients.ts';
import type { HistoryEntry } from './history.ts';
import { checkOverflow, scaleFor } from './loss-scale.ts';
import { figureMeans, type PreferenceFigures } from './preference/figures.ts';
import type { TrainingState } from './state/training-state.ts';

interface TakenStep {
  readonly loss: number;
  /** Of all gradients, before clipping. */
  readonly norm: number;
  readonly spike: boolean;
  /** What the loss was multiplied by for the gradients; undefined where it is not scaled. */
  readonly lossScale: number | undefined;
  /** Whether the scaled gradients overflowed; the norm is not finite then. */
  readonly overflow: boolean;
  readonly figures?: PreferenceFigures;
}

/** Updates the weights once: forward, backward, clip, update. A loss spike and an overflow in fp16 leave them unchanged. */
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
    precision = 'float32',
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
    readonly precision?: ProductPrecision | undefined;
  },
): Promise<TakenStep> {
  const lossScale = scaleFor(precision, state.lossScale);
  const { loss, gradients, figures } = await lossAndGradients(model, {
    ...{ ...batch, dropout, precision, lossScale },
  });
  try {
    const norm = gradientNorm(gradients.values()) / (lossScale ?? 1);
    if (!Number.isFinite(loss)) throw notFinite(step, `the loss is ${loss}`, precision);
    const overflow = !Number.isFinite(norm);
    if (overflow && lossScale === undefined)
      throw notFinite(step, `the norm of the gradients is ${norm}`, precision);
    if (overflow) checkOverflow(step, lossScale ?? 1);
    const spike = isSpike?.(loss) ?? false;
    const gradientScale = clipScale(norm, clipNorm) / (lossScale ?? 1);
    if (!spike && !overflow)
      state.optimizer.update({ gradients, step: step - state.skipped, learningRate, gradientScale });
    return { loss, norm, spike, lossScale, overflow, ...(figures && { figures: figureMeans(figures) }) };
  } finally {
    recycle([...gradients.values()]);
  }
}

/** A step as a line of the history. */
export function stepEntry(
  { loss, norm, spike, lossScale, overflow, figures }: TakenStep,
  place: { step: number; epoch: number; learningRate: number; tokens: number },
): Extract<HistoryEntry, { type: 'step' }> {
  const { step, epoch, learningRate, tokens } = place;
  return {
    ...{ type: 'step', step, epoch, loss, learning_rate: learningRate },
    ...(!overflow && { gradient_norm: norm }),
    tokens,
    ...(spike && { spike }),
    ...(lossScale !== undefined && { loss_scale: lossScale }),
    ...(overflow && { overflow }),
    ...(figures && { figures }),
  };
}

const notFinite = (step: number, what: string, precision: ProductPrecision) =>
  new UserError({
    code: 'loss-not-finite',
    message: `in step ${step} ${what}`,
    help:
      precision === 'fp16'
        ? 'numbers above 65504 overflow in fp16: use `precision: bf16`, or a lower `optimizer.learning_rate`'
        : 'try a lower `optimizer.learning_rate`, a warm-up (`schedule.warmup_steps`) or `clip_norm: 1`',
  });
