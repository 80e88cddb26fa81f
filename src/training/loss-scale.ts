import { UserError } from '../core/index.ts';
import type { ProductPrecision } from '../tensor/index.ts';
import type { HistoryEntry } from './history.ts';

/** As torch.amp.GradScaler has them. */
const INITIAL_SCALE = 2 ** 16;
const GROWTH_FACTOR = 2;
const BACKOFF_FACTOR = 0.5;
const GROWTH_INTERVAL = 2000;

/** Below it no gradient is scaled up any more. */
const LEAST_SCALE = 1;

/**
 * Dynamic loss scaling (Micikevicius et al. 2018, arXiv:1710.03740) by the rules of torch.amp.GradScaler: the loss is
 * multiplied by a power of two, so that small gradients do not become 0 in fp16. A step whose gradients overflow is
 * skipped and halves the scale; 2000 steps in a row without one double it.
 */
export interface LossScale {
  /** What the next step's loss is multiplied by. */
  readonly scale: number;
  /** Steps in a row without an overflow, since the scale last changed. */
  readonly steps: number;
}

export const initialLossScale: LossScale = { scale: INITIAL_SCALE, steps: 0 };

/** The scale after a step. Whatever is not a step in fp16 changes nothing, so a history says what the scale is after it. */
export function lossScaleAfter({ scale, steps }: LossScale, entry: HistoryEntry): LossScale {
  if (entry.type !== 'step' || entry.loss_scale === undefined) return { scale, steps };
  if (entry.overflow) return { scale: scale * BACKOFF_FACTOR, steps: 0 };
  if (steps + 1 < GROWTH_INTERVAL) return { scale, steps: steps + 1 };
  const grown = Math.fround(scale * GROWTH_FACTOR);
  return { scale: Number.isFinite(grown) ? grown : scale, steps: 0 };
}

/** The number that a step's loss is multiplied by in a precision; undefined where losses are not scaled. */
export const scaleFor = (precision: ProductPrecision, { scale }: LossScale): number | undefined =>
  precision === 'fp16' ? scale : undefined;

/** Throws if a smaller scale cannot help: then numbers overflow by themselves. */
export function checkOverflow(step: number, scale: number): void {
  if (scale > LEAST_SCALE) return;
  throw new UserError({
    code: 'gradients-overflow',
    message: `in step ${step} gradients are too large for fp16, and the loss is not scaled any more`,
    help: 'use `precision: bf16`, which has the range of float32, or a lower `optimizer.learning_rate`',
  });
}

export const overflowNote = (step: number, { scale }: LossScale): string =>
  `step ${step} is skipped, because its gradients overflow in fp16; the loss scale becomes ${scale}`;
