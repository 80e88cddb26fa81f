import type * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import { adamWStep } from '../../tensor/index.ts';
import { rewriteValues } from './rewrite-values.ts';

/** The running means of a parameter's gradient and of its square. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

interface Update {
  /** By the parameters' names. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** 1 is the first step. */
  readonly step: number;
  readonly learningRate: number;
  /** What the gradients are multiplied by first: the clipping. */
  readonly gradientScale: number;
}

/** torch.optim.AdamW over a model's parameters, which it changes in place on the host. */
export class AdamW {
  readonly #config: TrainConfig['optimizer'];
  readonly #parameters: ReadonlyMap<string, tf.Variable>;
  readonly #moments: ReadonlyMap<string, Moments>;

  constructor(config: TrainConfig['optimizer'], parameters: ReadonlyMap<string, tf.Variable>) {
    this.#config = config;
    this.#parameters = parameters;
    this.#moments = new Map(
      [...parameters].map(([name, { size }]) => [
        name,
        { first: new Float32Array(size), second: new Float32Array(size) },
      ]),
    );
  }

  /** By the parameters' names: what has to be saved so that training can go on. */
  get moments(): ReadonlyMap<string, Moments> {
    return this.#moments;
  }

  update({ gradients, step, learningRate, gradientScale }: Update): void {
    const { betas, epsilon, weight_decay, decay } = this.#config;
    const [beta1 = 0.9, beta2 = 0.999] = betas;
    for (const [name, parameter] of this.#parameters) {
      const gradient = gradients.get(name);
      const moments = this.#moments.get(name);
      if (gradient === undefined || moments === undefined) throw new Error(`${name} has no gradient`);
      const weightDecay = decay === 'all' || parameter.rank > 1 ? weight_decay : 0;
      const settings = { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale };
      const { first: firstMoment, second: secondMoment } = moments;
      rewriteValues(parameter, (values) =>
        adamWStep({ parameter: values, gradient, firstMoment, secondMoment }, settings),
      );
    }
  }
}
