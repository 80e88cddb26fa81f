import type * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import { computePending, hasInPlaceSteps } from '../../tensor/index.ts';
import { adafactorParameter, relativeStepSize } from './adafactor.ts';
import { adamWParameter } from './adam-w.ts';
import { lionParameter, sgdParameter } from './momentum.ts';
import { mostPending } from './optimizer-numbers.ts';
import type { OptimizerState, TrainedParameter } from './trained-parameter.ts';

export type OptimizerConfig = TrainConfig['optimizer'];

interface OptimizerStep {
  /** By parameter name. */
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
  /** 1 is the first step. */
  readonly step: number;
  readonly learningRate: number;
  /** Multiplies the gradients first, to clip them. */
  readonly gradientScale: number;
}

/** Updates a model's parameters in place by the rule that the configuration names. */
export class Optimizer implements Disposable {
  readonly #config: OptimizerConfig;
  readonly #factorOf: (name: string) => number;
  readonly #parameters: ReadonlyMap<string, tf.Variable>;
  readonly #trained: ReadonlyMap<string, TrainedParameter>;

  /** `factorOf` gives the factor by which a parameter's learning rate differs from the others'. */
  constructor(
    config: OptimizerConfig,
    parameters: ReadonlyMap<string, tf.Variable>,
    factorOf: (name: string) => number = () => 1,
  ) {
    this.#config = config;
    this.#factorOf = factorOf;
    this.#parameters = parameters;
    const trained = trainedParameterOf(config);
    this.#trained = new Map([...parameters].map(([name, variable]) => [name, trained(variable)]));
  }

  /** What has to be saved of a parameter to resume the training. */
  stateOf(name: string): readonly OptimizerState[] {
    return this.#trained.get(name)?.state ?? [];
  }

  update({ gradients, step, learningRate, gradientScale }: OptimizerStep): void {
    const { decay, weight_decay } = this.#config;
    let pending = 0;
    for (const [name, { rank, size }] of this.#parameters) {
      const gradient = gradients.get(name);
      if (gradient === undefined) throw new Error(`${name} has no gradient`);
      const trained = this.#trained.get(name);
      trained?.step(gradient, {
        learningRate: learningRate * this.#factorOf(name),
        weightDecay: decay === 'all' || rank > 1 ? weight_decay : 0,
        ...{ step, gradientScale },
      });
      // Until it is computed, the former values are in memory too.
      pending += trained?.isComputedLater === true ? size : 0;
      if (pending < mostPending) continue;
      computePending();
      pending = 0;
    }
    // Where the update is recorded only, it is computed here, so that the gradients can be freed.
    if (pending > 0 || hasInPlaceSteps()) computePending();
  }

  [Symbol.dispose](): void {
    for (const parameter of this.#trained.values()) parameter[Symbol.dispose]();
  }
}

/** Makes a parameter's optimizer state, which starts at 0. */
function trainedParameterOf(config: OptimizerConfig): (variable: tf.Variable) => TrainedParameter {
  switch (config.name) {
    case 'adamw':
      return (variable) => adamWParameter(variable, config);
    case 'adafactor':
      return (variable) => adafactorParameter(variable, config);
    case 'lion':
      return (variable) => lionParameter(variable, config);
    case 'sgd':
      return (variable) => sgdParameter(variable, config);
    default:
      return config satisfies never;
  }
}

/** The learning rate before any schedule; of Adafactor's relative steps that of one step, 1 being the first. */
export function peakLearningRate(config: OptimizerConfig, step: number): number {
  if (config.name === 'adafactor' && config.relative_step) return relativeStepSize(step, config);
  if (config.learning_rate === undefined) throw new Error('the optimizer has no learning rate'); // the stage's check prevents it
  return config.learning_rate;
}
