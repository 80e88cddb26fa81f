import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import { type AdamWSettings, adamWStep, adamWStepInPlace, hasInPlaceSteps } from '../../tensor/index.ts';
import { parameterOnHost, type StepSettings, type TrainedParameter } from './trained-parameter.ts';

type AdamWConfig = Extract<TrainConfig['optimizer'], { readonly name: 'adamw' }>;

/**
 * A parameter with the running means of torch.optim.AdamW. They are on the backend if it can update parameters in place,
 * else on the host.
 */
export function adamWParameter(variable: tf.Variable, { betas, epsilon }: AdamWConfig): TrainedParameter {
  const [beta1 = 0.9, beta2 = 0.999] = betas;
  const settingsOf = (settings: StepSettings): AdamWSettings => ({ ...settings, beta1, beta2, epsilon });
  return hasInPlaceSteps() ? onBackend(variable, settingsOf) : onHost(variable, settingsOf);
}

type SettingsOf = (settings: StepSettings) => AdamWSettings;

type Moments = Readonly<Record<'first_moment' | 'second_moment', Float32Array>>;

const onHost = (variable: tf.Variable, settingsOf: SettingsOf): TrainedParameter =>
  parameterOnHost<Moments>(variable, {
    sizes: { first_moment: variable.size, second_moment: variable.size },
    step: ({ parameter, gradient, state: { first_moment, second_moment } }, settings) =>
      adamWStep(
        { parameter, gradient, firstMoment: first_moment, secondMoment: second_moment },
        settingsOf(settings),
      ),
  });

function onBackend(parameter: tf.Variable, settingsOf: SettingsOf): TrainedParameter {
  const { shape, size } = parameter;
  const [firstMoment, secondMoment] = tf.tidy(() => [
    tf.variable(tf.fill(shape, 0)),
    tf.variable(tf.fill(shape, 0)),
  ]);
  const stateOf = (name: string, variable: tf.Variable) => ({
    ...{ name, size, read: () => variable.dataSync<'float32'>() },
    restore: (saved: Float32Array) => tf.tidy(() => variable.assign(tf.tensor(saved, shape))),
  });
  return {
    step: (gradient, settings) =>
      adamWStepInPlace({ parameter, gradient, firstMoment, secondMoment }, settingsOf(settings)),
    state: [stateOf('first_moment', firstMoment), stateOf('second_moment', secondMoment)],
    [Symbol.dispose]: () => tf.dispose([firstMoment, secondMoment]),
  };
}
