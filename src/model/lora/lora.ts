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

/** A model whose own weights are frozen, and whose adapters are trained instead. */
interface AdaptedModel extends LanguageModel {
  readonly adapters: LoraAdapters;
}

/** Adds adapters to a model and takes ownership of it: disposing of the adapted model disposes of both. */
export function adaptModel(
  model: LanguageModel,
  { settings, seed }: { readonly settings: LoraSettings; readonly seed: number },
): AdaptedModel {
  const adapters = createLoraAdapters(model.config, settings, seed);
  freeze(model.parameters.values());
  return {
    ...model,
    adapters,
    trainable: adapters.variables,
    hidden: (tokens) =>
      model.hidden({
        ...tokens,
        adapt: adaptWith(adapters, tokens.dropout),
        adapts: (projection) => loraPair(adapters, projection) !== undefined,
      }),
    logits: (hidden, tuning) =>
      model.logits(hidden, { ...tuning, adapt: adaptWith(adapters, tuning?.dropout) }),
    dispose: () => {
      for (const variable of adapters.variables.values()) variable.dispose();
      model.dispose();
    },
  };
}

/** y + scale B A dropout(x): [N, O]. The scale is applied to the narrow product, which has r columns. */
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

interface LoraAdapters {
  readonly settings: LoraSettings;
  readonly scale: number;
  readonly targets: LoraTargets;
  /** `<projection>.lora_A.weight` [r, I] and `<projection>.lora_B.weight` [O, r]. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
}

/** New adapters, which change nothing yet: B is zero. A starts as in PEFT, uniform within 1 / sqrt(I) of zero. */
function createLoraAdapters(config: ModelConfig, settings: LoraSettings, seed: number): LoraAdapters {
  const targets = loraTargets(config, settings.targets);
  const variables = new Map<string, tf.Variable>();
  for (const [name, { inputSize, outputSize }] of targets) {
    const { rank } = settings;
    const random = new RandomStream(['lora', seed, name]);
    const bound = 1 / Math.sqrt(inputSize);
    const down = Float32Array.from({ length: rank * inputSize }, () => bound * (2 * random.uniform() - 1));
    variables.set(downName(name), variableOf(down, [rank, inputSize]));
    variables.set(upName(name), variableOf(new Float32Array(outputSize * rank), [outputSize, rank]));
  }
  return { settings, scale: loraScale(settings), targets, variables };
}

/** A projection's A [r, I] and B [O, r]; undefined if it has no adapter. */
function loraPair(
  { variables }: LoraAdapters,
  projection: string,
): { readonly down: tf.Variable; readonly up: tf.Variable } | undefined {
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

/** A parameter with its adapter merged into it: W + scale B A. */
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

/** Writes the merged model into a folder, and the adapters alone into its folder `adapter`, in PEFT's layout. */
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

/** PEFT's LoraConfig; absent fields have their defaults. The base is null, because its local path means nothing on another machine. */
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
