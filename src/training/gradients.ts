import * as tf from '@tensorflow/tfjs-core';
import type { DropoutFactors, LanguageModel } from '../model/index.ts';
import {
  hasInPlaceSteps,
  type ProductPrecision,
  recycle,
  sumOfSquares,
  sumsOfSquaresOnHost,
  withProductPrecision,
  withSharedTensors,
} from '../tensor/index.ts';
import { type BatchPart, type Measured, partsOf, type TrainingBatch } from './batch-parts.ts';
import { addFigures, type FigureSums } from './preference/figures.ts';

interface LossAndGradients {
  readonly loss: number;
  /** By parameter name, already computed; the caller disposes of them. */
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  /** What a preference objective measures besides. */
  readonly figures: FigureSums | undefined;
}

/** The dropout of a micro-batch, by its index in the batch. */
export type DropoutByMicroBatch = (index: number) => DropoutFactors | undefined;

/** How a step's loss is computed. */
interface StepSettings {
  readonly dropout?: DropoutByMicroBatch | undefined;
  readonly precision?: ProductPrecision | undefined;
  /** The gradients, but not the loss, are multiplied by it. */
  readonly lossScale?: number | undefined;
}

/** A batch's mean loss and its gradients. Micro-batches are weighted by their targets, so splitting changes only rounding. */
export async function lossAndGradients(
  model: LanguageModel,
  { dropout, precision = 'float32', lossScale = 1, ...batch }: TrainingBatch & StepSettings,
): Promise<LossAndGradients> {
  const { parts, weight } = await partsOf(model, batch, precision);
  const [first, ...others] = parts;
  if (first === undefined) throw new Error('a batch without a target has no gradient');
  if (others.length === 0)
    return partGradients(model, first, { dropout: dropout?.(0), precision, lossScale });
  let loss = 0;
  let figures: FigureSums | undefined;
  const sums = new Map<string, tf.Tensor>();
  for (const [index, batchPart] of parts.entries()) {
    const share = batchPart.weight / weight;
    const within = lossScale === 1 ? 1 : nextPowerOfTwo(share);
    const part = await partGradients(model, batchPart, {
      ...{ dropout: dropout?.(index), precision, lossScale: lossScale * within },
    });
    loss += share * part.loss;
    if (part.figures !== undefined) figures = addFigures(figures ?? {}, part.figures);
    for (const [name, gradient] of part.gradients)
      sums.set(name, accumulate(sums.get(name), gradient, share / within));
    recycle([...part.gradients.values()]);
  }
  return { loss, gradients: sums, figures };
}

/**
 * Of a part's share in the batch, which a scaled loss is multiplied by: the mean over few targets has larger gradients than
 * that over all, and would overflow sooner. A power of two changes no digit.
 */
const nextPowerOfTwo = (share: number): number => 2 ** Math.ceil(Math.log2(share || 1));

/** Reading the loss makes a lazy backend compute it and all gradients in one run. */
async function partGradients(
  model: LanguageModel,
  part: BatchPart,
  {
    dropout,
    precision,
    lossScale,
  }: {
    readonly dropout: DropoutFactors | undefined;
    readonly precision: ProductPrecision;
    readonly lossScale: number;
  },
): Promise<LossAndGradients> {
  let measured: Measured | undefined;
  const lossOf = () => {
    const computed = part.loss(model, dropout);
    measured = computed.measured;
    if (measured !== undefined) tf.keep(measured.values);
    return lossScale === 1 ? computed.loss : tf.mul<tf.Scalar>(computed.loss, tf.scalar(lossScale));
  };
  const { value, grads } = withProductPrecision(precision, () =>
    withSharedTensors(() => tf.variableGrads(lossOf, [...model.trainable.values()])),
  );
  const [scaledLoss = Number.NaN] = await value.data();
  const loss = scaledLoss / lossScale;
  value.dispose();
  const figures = await readMeasured(measured);
  const gradients = new Map<string, tf.Tensor>();
  for (const [name, variable] of model.trainable) {
    const gradient = grads[variable.name];
    if (gradient !== undefined) gradients.set(name, gradient);
  }
  return { loss, gradients, figures };
}

/** Reads the measured values and disposes of them. */
export async function readMeasured(measured: Measured | undefined): Promise<FigureSums | undefined> {
  if (measured === undefined) return undefined;
  const figures = measured.figures(await measured.values.data<'float32'>());
  measured.values.dispose();
  return figures;
}

/** sum + scale gradient; replaces the sum, which must not be used afterwards. */
function accumulate(sum: tf.Tensor | undefined, gradient: tf.Tensor, scale: number): tf.Tensor {
  if (!hasInPlaceSteps()) return accumulateOnHost(sum, gradient, scale);
  const scaled = tf.mul(gradient, scale);
  if (sum === undefined) return scaled;
  const next = tf.add(sum, scaled);
  tf.dispose([sum, scaled]);
  return next;
}

function accumulateOnHost(sum: tf.Tensor | undefined, gradient: tf.Tensor, scale: number): tf.Tensor {
  const whole = sum ?? tf.tensor(new Float32Array(gradient.size), gradient.shape);
  const [sums, values] = [whole.dataSync<'float32'>(), gradient.dataSync<'float32'>()];
  for (let index = 0; index < sums.length; index++)
    sums[index] = (sums[index] ?? 0) + scale * (values[index] ?? 0);
  return whole;
}

/** The Euclidean norm of all gradients together, summed in double precision if they are on the host. */
export function gradientNorm(gradients: Iterable<tf.Tensor>): number {
  if (hasInPlaceSteps()) return Math.sqrt(sumOfSquares(gradients));
  const sums = sumsOfSquaresOnHost(Array.from(gradients, (gradient) => gradient.dataSync<'float32'>()));
  return Math.sqrt(sums.reduce((total, sum) => total + sum, 0));
}

/** The factor that brings the gradients' norm down to at most `clipNorm`, as in torch.nn.utils.clip_grad_norm_. */
export function clipScale(norm: number, clipNorm: number | undefined): number {
  return clipNorm === undefined ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
}
