import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../core/index.ts';
import { type TensorToWrite, writeSafetensors } from '../../formats/index.ts';
import { linear } from '../../tensor/index.ts';
import { writeModelFolder } from '../folder/model-folder.ts';
import type { Adapt, DropoutFactors } from '../forward-pass.ts';
import { freeze, type LanguageModel } from '../language-model.ts';
import type { ModelConfig } from '../model-config.ts';
import {
  type LoraSettings,
  type LoraTargets,
  loraScale,
  loraTargets,
  targetModules,
} from './lora-targets.ts';

/** A model whose own weights are frozen, with adapters that are trained instead. */
interface AdaptedModel extends LanguageModel {
  readonly adapters: LoraAdapters;
}

interface Adaptation {
  readonly settings: LoraSettings;
  /** Decides where the adapters start. */
  readonly seed: number;
}

/** Puts adapters beside a model, which is theirs from then on: disposing of them disposes of it. */
export function adaptModel(model: LanguageModel, { settings, seed }: Adaptation): AdaptedModel {
  const adapters = createLoraAdapters({ config: model.config, settings, seed });
  freeze(model.parameters.values());
  return {
    ...model,
    adapters,
    trainable: adapters.variables,
    hidden: (tokens) => model.hidden({ ...tokens, adapt: adaptWith(adapters, tokens.dropout) }),
    logits: (hidden, tuning) =>
      model.logits(hidden, { ...tuning, adapt: adaptWith(adapters, tuning?.dropout) }),
    dispose: () => {
      for (const variable of adapters.variables.values()) variable.dispose();
      model.dispose();
    },
  };
}

/** y + scale B A dropout(x): [N, O]. The scale goes to the narrow product, of r columns. */
function adaptWith(adapters: LoraAdapters, dropout: DropoutFactors | undefined): Adapt {
  return ({ name, x, y }) => {
    const pair = loraPair(adapters, name);
    if (pair === undefined) return y;
    const factors = dropout?.({ place: 'adapter', name, shape: x.shape });
    const input = factors === undefined ? x : tf.mul(x, factors);
    const narrow = linear({ x: input, weight: pair.down, transposeWeight: true }); // [N, r]
    const added = linear({ x: tf.mul(narrow, adapters.scale), weight: pair.up, transposeWeight: true });
    return tf.add(y, added);
  };
}

/** The adapters beside a model's projections. */
interface LoraAdapters {
  readonly settings: LoraSettings;
  readonly scale: number;
  readonly targets: LoraTargets;
  /** `<projection>.lora_A.weight` [r, I] and `<projection>.lora_B.weight` [O, r]. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
}

/** One projection's two matrices. */
interface LoraPair {
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
function createLoraAdapters({ config, settings, seed }: Creation): LoraAdapters {
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
function loraPair({ variables }: LoraAdapters, projection: string): LoraPair | undefined {
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

/** A parameter's values with its adapter added in, W + scale B A: from then on the adapter is not needed. */
async function mergedWeight({ parameters, adapters }: AdaptedModel, name: string): Promise<Float32Array> {
  const weight = parameters.get(name);
  if (weight === undefined) throw new Error(`No parameter has the name ${name}`);
  const projection = name.replace(/\.weight$/, '');
  const pair = loraPair(adapters, projection);
  if (pair === undefined) return weight.data<'float32'>();
  const merged = tf.tidy(() => {
    const product = adapters.targets.get(projection)?.inputFirst
      ? tf.matMul(pair.down, pair.up, true, true) // [I, O]
      : tf.matMul(pair.up, pair.down); // [O, I]
    return tf.add(weight, tf.mul(product, adapters.scale));
  });
  const values = await merged.data<'float32'>();
  merged.dispose();
  return values;
}

/** Writes the merged model into a folder, and the adapters alone into `adapter` in it, as PEFT lays them out. */
export async function saveAdaptedModel(folder: string, model: AdaptedModel): Promise<void> {
  await writeModelFolder(folder, { config: model.config, read: (name) => mergedWeight(model, name) });
  await writeAdapter(join(folder, 'adapter'), model);
}

async function writeAdapter(folder: string, model: AdaptedModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'adapter_config.json'),
    `${JSON.stringify(adapterConfig(model), undefined, 2)}\n`,
  );
  const tensors = [...model.adapters.variables].map(
    ([name, variable]): TensorToWrite => ({
      name: `base_model.model.${name}`,
      dtype: 'F32',
      shape: variable.shape,
      read: () => variable.data<'float32'>(),
    }),
  );
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), { tensors, metadata: { format: 'pt' } });
}

/** PEFT's LoraConfig; its fields that are not here have their defaults. The base is the caller's to name: it is no path of anyone else's. */
function adapterConfig({ config, adapters }: AdaptedModel): Readonly<Record<string, unknown>> {
  const { settings, targets } = adapters;
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: null,
    inference_mode: true,
    r: settings.rank,
    lora_alpha: settings.alpha,
    lora_dropout: settings.dropout,
    use_rslora: settings.rankStabilized,
    target_modules: targetModules(config, targets),
    fan_in_fan_out: [...targets.values()].some(({ inputFirst }) => inputFirst),
    bias: 'none',
  };
}
