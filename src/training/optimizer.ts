import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../generated/train-config.ts';
import { type AdamWSettings, adamWStep, adamWStepInPlace, hasInPlaceSteps } from '../tensor/index.ts';

interface Update {
  /** By the parameters' names. */
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  /** 1 is the first step. */
  readonly step: number;
  readonly learningRate: number;
  /** What the gradients are multiplied by first: the clipping. */
  readonly gradientScale: number;
}

/** torch.optim.AdamW over a model's parameters, which it changes in place. */
export class AdamW implements Disposable {
  readonly #config: TrainConfig['optimizer'];
  readonly #parameters: ReadonlyMap<string, tf.Variable>;
  /** By the parameters' names: what has to be saved so that training can go on. */
  readonly trained: ReadonlyMap<string, TrainedParameter>;

  constructor(config: TrainConfig['optimizer'], parameters: ReadonlyMap<string, tf.Variable>) {
    this.#config = config;
    this.#parameters = parameters;
    this.trained = new Map([...parameters].map(([name, variable]) => [name, trainedParameter(variable)]));
  }

  update({ gradients, step, learningRate, gradientScale }: Update): void {
    const { betas, epsilon, weight_decay, decay } = this.#config;
    const [beta1 = 0.9, beta2 = 0.999] = betas;
    for (const [name, { rank }] of this.#parameters) {
      const gradient = gradients.get(name);
      if (gradient === undefined) throw new Error(`${name} has no gradient`);
      const weightDecay = decay === 'all' || rank > 1 ? weight_decay : 0;
      const settings = { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale };
      this.trained.get(name)?.step(gradient, settings);
    }
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

/** A parameter and the moments of its gradient, wherever they are kept. */
interface TrainedParameter extends Disposable {
  readonly step: (gradient: tf.Tensor, settings: AdamWSettings) => void;
  /** On the host: to be read only, and only until the next step. */
  readonly moments: () => Moments;
  readonly restore: (moments: Moments) => void;
}

/** Moments begin at 0. They stay with the backend where that can change parameters in place, else they are on the host. */
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

/** Changes a variable's values on the host: in place where the backend hands out its own memory, else through a copy. */
export function rewriteValues(variable: tf.Variable, change: (values: Float32Array) => void): void {
  const values = variable.dataSync<'float32'>();
  change(values);
  if (variable.dataSync() === values) return;
  const changed = tf.tensor(values, variable.shape);
  variable.assign(changed);
  changed.dispose();
}
