import * as tf from '@tensorflow/tfjs-core';
import { type AdamWSettings, adamWStep, adamWStepInPlace, hasInPlaceSteps } from '../../tensor/index.ts';
import { rewriteValues } from './rewrite-values.ts';

/** The running means of a parameter's gradient and of its square. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** A parameter and the moments of its gradient, wherever they are kept. */
export interface TrainedParameter extends Disposable {
  readonly step: (gradient: tf.Tensor, settings: AdamWSettings) => void;
  /** On the host: to be read only, and only until the next step. */
  readonly moments: () => Moments;
  readonly restore: (moments: Moments) => void;
}

/** Moments begin at 0. They stay with the backend where that can change parameters in place, else they are on the host. */
export const trainedParameter = (variable: tf.Variable): TrainedParameter =>
  hasInPlaceSteps() ? onBackend(variable) : onHost(variable);

function onHost(variable: tf.Variable): TrainedParameter {
  const { size } = variable;
  const [firstMoment, secondMoment] = [new Float32Array(size), new Float32Array(size)];
  return {
    step: (gradient, settings) =>
      rewriteValues(variable, (parameter) =>
        adamWStep(
          { parameter, gradient: gradient.dataSync<'float32'>(), firstMoment, secondMoment },
          settings,
        ),
      ),
    moments: () => ({ first: firstMoment, second: secondMoment }),
    restore: ({ first, second }) => {
      firstMoment.set(first);
      secondMoment.set(second);
    },
    [Symbol.dispose]: () => {},
  };
}

function onBackend(parameter: tf.Variable): TrainedParameter {
  const { shape } = parameter;
  const [firstMoment, secondMoment] = tf.tidy(() => [
    tf.variable(tf.fill(shape, 0)),
    tf.variable(tf.fill(shape, 0)),
  ]);
  return {
    step: (gradient, settings) =>
      adamWStepInPlace({ parameter, gradient, firstMoment, secondMoment }, settings),
    moments: () => ({
      first: firstMoment.dataSync<'float32'>(),
      second: secondMoment.dataSync<'float32'>(),
    }),
    restore: ({ first, second }) =>
      tf.tidy(() => {
        firstMoment.assign(tf.tensor(first, shape));
        secondMoment.assign(tf.tensor(second, shape));
      }),
    [Symbol.dispose]: () => tf.dispose([firstMoment, secondMoment]),
  };
}
