import * as tf from '@tensorflow/tfjs-core';
import { RandomStream, UserError } from '../core/index.ts';
import { elementCount } from '../formats/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  type DropoutFactors,
  type DropoutSite,
  type LanguageModel,
  type ModelConfig,
  ownDropout,
} from '../model/index.ts';
import { hasInPlaceSteps, recycle, sumOfSquares } from '../tensor/index.ts';
import type { BatchPieces } from './batches/micro-batch.ts';
import { type BatchPass, batchLoss } from './loss.ts';
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

interface TakenStep {
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

interface LossAndGradients {
  readonly loss: number;
  /** By the parameters' names, computed already; the caller's to dispose of. */
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
}

/** What is dropped in a piece, by its place in the batch; undefined where nothing is. */
type DropoutOfPieces = (piece: number) => DropoutFactors | undefined;

/** A batch's mean loss and its gradients. Pieces are weighted by their targets, so that they make no difference. */
export async function lossAndGradients(
  model: LanguageModel,
  { pieces, targetCount, dropout }: BatchPieces & { readonly dropout?: DropoutOfPieces | undefined },
): Promise<LossAndGradients> {
  const [first, ...others] = pieces;
  if (first === undefined) throw new Error('a batch without a target has no gradient');
  if (others.length === 0) return ofPiece(model, { batch: first, dropout: dropout?.(0) });
  let loss = 0;
  const sums = new Map<string, tf.Tensor>();
  for (const [place, piece] of pieces.entries()) {
    const part = await ofPiece(model, { batch: piece, dropout: dropout?.(place) });
    const scale = piece.targetCount / targetCount;
    loss += scale * part.loss;
    for (const [name, gradient] of part.gradients)
      sums.set(name, addScaled(sums.get(name), { gradient, scale }));
    recycle([...part.gradients.values()]);
  }
  return { loss, gradients: sums };
}

/** Reading the loss has a lazy backend compute all gradients with it, in one go. */
async function ofPiece(model: LanguageModel, piece: BatchPass): Promise<LossAndGradients> {
  const { value, grads } = tf.variableGrads(() => batchLoss(model, piece), [...model.trainable.values()]);
  const [loss = Number.NaN] = await value.data();
  value.dispose();
  const gradients = new Map<string, tf.Tensor>();
  for (const [name, variable] of model.trainable) {
    const gradient = grads[variable.name];
    if (gradient !== undefined) gradients.set(name, gradient);
  }
  return { loss, gradients };
}

interface Summand {
  readonly gradient: tf.Tensor;
  readonly scale: number;
}

/** The sum with `scale` times a gradient in it, 0 where there is none yet: takes the sum's place, which may not be used again. */
function addScaled(sum: tf.Tensor | undefined, { gradient, scale }: Summand): tf.Tensor {
  if (!hasInPlaceSteps()) return addOnHost(sum, { gradient, scale });
  const scaled = tf.mul(gradient, scale);
  if (sum === undefined) return scaled;
  const next = tf.add(sum, scaled);
  tf.dispose([sum, scaled]);
  return next;
}

function addOnHost(sum: tf.Tensor | undefined, { gradient, scale }: Summand): tf.Tensor {
  const whole = sum ?? tf.tensor(new Float32Array(gradient.size), gradient.shape);
  const [sums, values] = [whole.dataSync<'float32'>(), gradient.dataSync<'float32'>()];
  for (let index = 0; index < sums.length; index++)
    sums[index] = (sums[index] ?? 0) + scale * (values[index] ?? 0);
  return whole;
}

/** The Euclidean norm over all gradients together, summed in double precision where they are on the host. */
export function gradientNorm(gradients: Iterable<tf.Tensor>): number {
  const squares = hasInPlaceSteps()
    ? sumOfSquares
    : (gradient: tf.Tensor) => squaresOf(gradient.dataSync<'float32'>());
  let sum = 0;
  for (const gradient of gradients) sum += squares(gradient);
  return Math.sqrt(sum);
}

/** Two sums side by side, because in one alone each addition would wait for the one before. */
function squaresOf(values: Float32Array): number {
  let even = 0;
  let odd = 0;
  for (let index = 0; index < values.length; index += 2) {
    const first = values[index] ?? 0;
    const second = values[index + 1] ?? 0;
    even += first * first;
    odd += second * second;
  }
  return even + odd;
}

/** What gradients are multiplied by so that their norm is at most `clipNorm`, as torch.nn.utils.clip_grad_norm_ has it. */
export function clipScale(norm: number, clipNorm: number | undefined): number {
  return clipNorm === undefined ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
}

/** The share of elements that is dropped at each kind of place. */
type DropoutRates = Readonly<Record<DropoutSite['place'], number>>;

/** `dropout: model` means the rates of the model's own config.json. */
export const dropoutRates = (
  { dropout, lora }: Pick<TrainConfig, 'dropout' | 'lora'>,
  model: ModelConfig,
): DropoutRates => ({
  ...(dropout === 'model' ? ownDropout(model) : dropout),
  adapter: lora?.dropout ?? 0,
});

interface Moment {
  readonly rates: DropoutRates;
  readonly seed: number;
  /** 1 is the first step. */
  readonly step: number;
}

/**
 * Dropout (Srivastava et al. 2014) in one step. What is dropped is drawn on the host from a stream named by seed, step,
 * piece and site, so that every backend drops the same and a resumed training goes on as if it had not been interrupted.
 */
export function dropoutOfStep({ rates, seed, step }: Moment): DropoutOfPieces {
  if (Object.values(rates).every((rate) => rate === 0)) return () => undefined;
  return (piece): DropoutFactors =>
    ({ place, name, shape }) => {
      const rate = rates[place];
      if (rate === 0) return undefined;
      const random = new RandomStream(['dropout', seed, step, piece, place, name]);
      const factors = new Float32Array(elementCount(shape)).fill(1 / (1 - rate));
      for (let index = 0; index < factors.length; index++) if (random.uniform() < rate) factors[index] = 0;
      return tf.tensor(factors, [...shape]);
    };
}
