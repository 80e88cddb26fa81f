import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  type AdamWSettings,
  adamWStep,
  adamWStepInPlace,
  computePending,
  hasInPlaceSteps,
} from '../tensor/index.ts';

/** torch.optim.AdamW over a model's parameters, which it updates in place. */
export class AdamW implements Disposable {
  readonly #config: TrainConfig['optimizer'];
  readonly #parameters: ReadonlyMap<string, tf.Variable>;
  /** By parameter name: what has to be saved to resume the training. */
  readonly trained: ReadonlyMap<string, TrainedParameter>;

  constructor(config: TrainConfig['optimizer'], parameters: ReadonlyMap<string, tf.Variable>) {
    this.#config = config;
    this.#parameters = parameters;
    this.trained = new Map([...parameters].map(([name, variable]) => [name, trainedParameter(variable)]));
  }

  update({
    gradients,
    step,
    learningRate,
    gradientScale,
  }: {
    /** By parameter name. */
    readonly gradients: ReadonlyMap<string, tf.Tensor>;
    /** 1 is the first step. */
    readonly step: number;
    readonly learningRate: number;
    /** Multiplies the gradients first, to clip them. */
    readonly gradientScale: number;
  }): void {
    const { betas, epsilon, weight_decay, decay } = this.#config;
    const [beta1 = 0.9, beta2 = 0.999] = betas;
    for (const [name, { rank }] of this.#parameters) {
      const gradient = gradients.get(name);
      if (gradient === undefined) throw new Error(`${name} has no gradient`);
      const weightDecay = decay === 'all' || rank > 1 ? weight_decay : 0;
      const settings = { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale };
      this.trained.get(name)?.step(gradient, settings);
    }
    // Where the update is recorded only, it is computed here, so that the gradients can be freed.
    if (hasInPlaceSteps()) computePending();
  }

  [Symbol.dispose](): void {
    for (const parameter of this.trained.values()) parameter[Symbol.dispose]();
  }
}

/** The running means of a parameter's gradient and of its square. */
interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** A parameter and its moments, on the backend or on the host. */
interface TrainedParameter extends Disposable {
  readonly step: (gradient: tf.Tensor, settings: AdamWSettings) => void;
  /** Read-only host copies, valid until the next step. */
  readonly moments: () => Moments;
  readonly restore: (moments: Moments) => void;
}

/** Moments start at 0. They are on the backend if it can update parameters in place, else on the host. */
const trainedParameter = (variable: tf.Variable): TrainedParameter =>
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

/** Changes a variable's values on the host: in place if the backend hands out its own memory, else through a copy. */
export function rewriteValues(variable: tf.Variable, change: (values: Float32Array) => void): void {
  const values = variable.dataSync<'float32'>();
  change(values);
  if (variable.dataSync() === values) return;
  const changed = tf.tensor(values, variable.shape);
  variable.assign(changed);
  changed.dispose();
}
