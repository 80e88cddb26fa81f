import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../model-config.ts';
import { RandomStream } from '../random-stream.ts';
import { type LoraSettings, loraScale } from './lora-settings.ts';
import { type LoraTargets, loraTargets } from './lora-targets.ts';

/** The adapters beside a model's projections. */
export interface LoraAdapters {
  readonly settings: LoraSettings;
  readonly scale: number;
  readonly targets: LoraTargets;
  /** `<projection>.lora_A.weight` [r, I] and `<projection>.lora_B.weight` [O, r]. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
}

/** One projection's two matrices. */
export interface LoraPair {
  /** [r, I] */
  readonly down: tf.Variable;
  /** [O, r] */
  readonly up: tf.Variable;
}

interface Creation {
  readonly config: ModelConfig;
  readonly settings: LoraSettings;
  readonly seed: number;
}

/** Fresh adapters, which change nothing yet: B is zero. A starts as in PEFT, uniform within 1 / sqrt(I) of zero. */
export function createLoraAdapters({ config, settings, seed }: Creation): LoraAdapters {
  const targets = loraTargets(config, settings.targets);
  const variables = new Map<string, tf.Variable>();
  for (const [name, { inputWidth, outputWidth }] of targets) {
    const { rank } = settings;
    const random = new RandomStream(['lora', seed, name]);
    const bound = 1 / Math.sqrt(inputWidth);
    const down = Float32Array.from({ length: rank * inputWidth }, () => bound * (2 * random.uniform() - 1));
    variables.set(downName(name), variableOf(down, [rank, inputWidth]));
    variables.set(upName(name), variableOf(new Float32Array(outputWidth * rank), [outputWidth, rank]));
  }
  return { settings, scale: loraScale(settings), targets, variables };
}

/** The matrices beside a projection; undefined where it has none. */
export function loraPair({ variables }: LoraAdapters, projection: string): LoraPair | undefined {
  const down = variables.get(downName(projection));
  const up = variables.get(upName(projection));
  return down === undefined || up === undefined ? undefined : { down, up };
}

const downName = (projection: string) => `${projection}.lora_A.weight`;
const upName = (projection: string) => `${projection}.lora_B.weight`;

function variableOf(values: Float32Array, shape: [number, number]): tf.Variable {
  const tensor = tf.tensor2d(values, shape);
  const variable = tf.variable(tensor);
  tensor.dispose();
  return variable;
}
