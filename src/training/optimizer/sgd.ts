import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import { parameterWithRule, type TrainedParameter } from './trained-parameter.ts';

type SgdConfig = Extract<TrainConfig['optimizer'], { readonly name: 'sgd' }>;

/** torch.optim.SGD: the decay is part of the gradient, and the momentum a sum of gradients that decays by itself. */
export function sgdParameter(variable: tf.Variable, { momentum, nesterov }: SgdConfig): TrainedParameter {
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
