import type * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import { type TrainedParameter, trainedParameter } from './trained-parameter.ts';

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
