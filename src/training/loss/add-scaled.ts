import * as tf from '@tensorflow/tfjs-core';
import { hasInPlaceSteps } from '../../tensor/index.ts';

interface Summand {
  readonly gradient: tf.Tensor;
  readonly scale: number;
}

/** The sum with `scale` times a gradient in it, 0 where there is none yet: takes the sum's place, which may not be used again. */
export function addScaled(sum: tf.Tensor | undefined, { gradient, scale }: Summand): tf.Tensor {
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
