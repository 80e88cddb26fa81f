import * as tf from '@tensorflow/tfjs-core';
import type { AdamWSettings } from '../ops/adam-w-step.ts';
import type { AdamWTensors } from '../ops/adam-w-step-in-place.ts';
import { changeInPlace } from './change-in-place.ts';
import type { TensorflowEngine } from './tensorflow-engine.ts';

/**
 * The step that `adamWStep` takes on the host, in TensorFlow's memory. Its ResourceApplyAdam knows no decoupled decay, which
 * is a product before it, and computes lr' m / (sqrt(v) + ε'): with lr' = lr sqrt(1 - β2^t) / (1 - β1^t) and
 * ε' = ε sqrt(1 - β2^t) that is the same. It would correct by powers in float32; told that they are 0, it leaves that to lr'.
 */
export function adamWInPlace(
  engine: TensorflowEngine,
  { parameter, gradient, firstMoment, secondMoment }: AdamWTensors,
  settings: AdamWSettings,
): void {
  const { learningRate, weightDecay, step, epsilon, gradientScale = 1 } = settings;
  // The moments are means with these roundings of β1 and β2, so the corrections are for them too.
  const [beta1, beta2] = [Math.fround(settings.beta1), Math.fround(settings.beta2)];
  const root = Math.sqrt(1 - beta2 ** step);
  const rate = (learningRate * root) / (1 - beta1 ** step);
  const floats = { name: 'T', type: engine.binding.TF_ATTR_TYPE, value: engine.binding.TF_FLOAT };
  tf.tidy(() => {
    if (weightDecay !== 0) parameter.assign(tf.mul(parameter, 1 - learningRate * weightDecay));
    const scaled = gradientScale === 1 ? gradient : tf.mul(gradient, gradientScale);
    const scalars = [0, 0, rate, beta1, beta2, epsilon * root].map((value) => tf.scalar(value));
    const inputs = engine.getInputTensorIds([...scalars, scaled]);
    changeInPlace(engine, [parameter, firstMoment, secondMoment], (handles) => {
      engine.binding.executeOp('ResourceApplyAdam', [floats], [...handles, ...inputs], 0);
    });
  });
}
