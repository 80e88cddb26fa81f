import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import { hasInPlaceSteps, lionStep, sgdStep } from '../../tensor/index.ts';
import { parameterOnHost, parameterWithRule, type TrainedParameter } from './trained-parameter.ts';

type LionConfig = Extract<TrainConfig['optimizer'], { readonly name: 'lion' }>;
type SgdConfig = Extract<TrainConfig['optimizer'], { readonly name: 'sgd' }>;

/**
 * Lion (Chen et al. 2023, arXiv:2302.06675): every weight moves by the learning rate, in the direction of the sign of an
 * average of the gradient and its running mean. The decay is decoupled, as AdamW's is.
 */
export function lionParameter(variable: tf.Variable, { betas }: LionConfig): TrainedParameter {
  const [beta1 = 0.9, beta2 = 0.99] = betas;
  if (!hasInPlaceSteps())
    return parameterOnHost(variable, {
      sizes: { momentum: variable.size },
      step: ({ parameter, gradient, state: { momentum } }, settings) =>
        lionStep({ parameter, gradient, momentum }, { ...settings, beta1, beta2 }),
    });
  return parameterWithRule(variable, {
    shapes: { momentum: variable.shape },
    update: ({ parameter, gradient, state: { momentum } }, { learningRate, weightDecay }) => {
      const direction = signOf(tf.add(tf.mul(momentum, beta1), tf.mul(gradient, 1 - beta1)));
      const decayed = weightDecay === 0 ? parameter : tf.mul(parameter, 1 - learningRate * weightDecay);
      return {
        parameter: tf.sub(decayed, tf.mul(direction, learningRate)),
        state: { momentum: tf.add(tf.mul(momentum, beta2), tf.mul(gradient, 1 - beta2)) },
      };
    },
  });
}

/** -1, 0 or 1, in fewer operations than tf.sign has: the smallest float32 times 1e46 is above 1. */
const signOf = (x: tf.Tensor): tf.Tensor => tf.clipByValue(tf.mul(tf.mul(x, 1e23), 1e23), -1, 1);

/** torch.optim.SGD: the decay is part of the gradient, and the momentum a sum of gradients that decays by itself. */
export function sgdParameter(variable: tf.Variable, { momentum, nesterov }: SgdConfig): TrainedParameter {
  if (!hasInPlaceSteps())
    return parameterOnHost<{ readonly momentum?: Float32Array }>(variable, {
      sizes: momentum === 0 ? {} : { momentum: variable.size },
      step: ({ state, ...values }, settings) =>
        sgdStep({ ...values, ...state }, { ...settings, factor: momentum, nesterov }),
    });
  const withDecay = (parameter: tf.Tensor, gradient: tf.Tensor, weightDecay: number) =>
    weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay));
  const moved = (parameter: tf.Tensor, by: tf.Tensor, learningRate: number) =>
    tf.sub(parameter, tf.mul(by, learningRate));
  if (momentum === 0)
    return parameterWithRule(variable, {
      shapes: {},
      update: ({ parameter, gradient }, { learningRate, weightDecay }) => ({
        parameter: moved(parameter, withDecay(parameter, gradient, weightDecay), learningRate),
        state: {},
      }),
    });
  return parameterWithRule(variable, {
    shapes: { momentum: variable.shape },
    update: ({ parameter, gradient, state }, { learningRate, weightDecay }) => {
      const slope = withDecay(parameter, gradient, weightDecay);
      const sum = tf.add(tf.mul(state.momentum, momentum), slope);
      const step = nesterov ? tf.add(slope, tf.mul(sum, momentum)) : sum;
      return { parameter: moved(parameter, step, learningRate), state: { momentum: sum } };
    },
  });
}
