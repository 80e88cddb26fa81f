import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { TensorToWrite } from '../../formats/index.ts';
import { floatWeight } from '../../tensor/index.ts';
import { untiedConfig, writeModelFolder } from '../folder/model-folder.ts';
import { parameterOf } from '../language-model.ts';
import { familyOf, type ModelConfig } from '../model-config.ts';
import type { AdaptedModel } from './adapted-model.ts';
import { headParameters, matricesOf, replacedParameters } from './adapted-pass.ts';
import { writeAdapterFolder } from './adapter-folder.ts';
import { type AdapterTarget, tensorNames } from './adapter-layout.ts';
import { peftConfig } from './peft-config.ts';
import { trainedRowsName } from './trained-tokens.ts';

/** Writes the merged model into a folder, and the adapter alone into its folder `adapter`, in PEFT's layout. */
export async function saveAdaptedModel(folder: string, model: AdaptedModel): Promise<void> {
  await writeModelFolder(folder, {
    config: mergedConfig(model),
    read: (name) => mergedParameter(model, name),
  });
  await writeAdapterFolder(join(folder, 'adapter'), {
    config: configOf(model),
    tensors: tensorsOf(model),
  });
}

/** A tied head stays tied if the adapter does the same to it as to the embedding. */
function mergedConfig({ config, adapter }: AdaptedModel): ModelConfig {
  if (!config.tied) return config;
  const { layout, settings } = adapter;
  const { head, embedding } = familyOf(config).tiedHead;
  const isAdapted = [head, embedding].some((name) => layout.targets.has(name.replace(/\.weight$/, '')));
  const isSaved = [head, embedding].some((name) => layout.whole.has(name));
  return isAdapted || (isSaved && !settings.keepsTie) ? untiedConfig('config.json', config) : config;
}

/** A parameter of the merged model: W + scale B A, with DoRA scaled to the trained norms. */
async function mergedParameter(model: AdaptedModel, name: string): Promise<Float32Array> {
  const { config, adapter } = model;
  const { head, embedding } = familyOf(config).tiedHead;
  const isHead = name === head;
  const source = isHead && config.tied ? embedding : name;
  const replaced = isHead ? headParameters(model, adapter) : replacedParameters(adapter);
  const weight = replaced.get(source) ?? parameterOf(model, source);
  const module = name.replace(/\.weight$/, '');
  const target = name.endsWith('.weight') ? adapter.layout.targets.get(module) : undefined;
  const merged = tf.tidy(() => {
    const base = floatWeight(weight);
    return target === undefined ? base : mergedWeight(model, { name: module, target, weight: base });
  });
  const values = await merged.data<'float32'>();
  merged.dispose();
  if (target !== undefined) return values;
  const rows = adapter.layout.rows.get(source.replace(/\.weight$/, ''));
  const own = adapter.variables.get(trainedRowsName(source.replace(/\.weight$/, '')));
  return rows === undefined || own === undefined
    ? values
    : withRows(values, { rows: await own.data<'float32'>(), ids: rows.ids });
}

/** A table in which some rows are others. */
export function withRows(
  table: Float32Array,
  { rows, ids }: { readonly rows: Float32Array; readonly ids: readonly number[] },
): Float32Array {
  const changed = table.slice();
  const width = rows.length / ids.length;
  for (const [row, id] of ids.entries())
    changed.set(rows.subarray(row * width, (row + 1) * width), id * width);
  return changed;
}

function mergedWeight(
  { adapter }: AdaptedModel,
  {
    name,
    target,
    weight,
  }: { readonly name: string; readonly target: AdapterTarget; readonly weight: tf.Tensor },
): tf.Tensor {
  const { down, up } = matricesOf(adapter, { name, target });
  const product = target.inputFirst
    ? tf.matMul(down, up, true, true) // [I, O]
    : tf.matMul(up, down); // [O, I]
  const sum = tf.add(weight, tf.mul(product, target.scale));
  const magnitude = adapter.variables.get(tensorNames(name, target.kind).magnitude);
  if (magnitude === undefined) return sum;
  const norms = tf.sqrt(tf.sum(tf.square(sum), target.inputFirst ? 0 : 1));
  const ratio = tf.div(magnitude, norms); // [O]
  return tf.mul(sum, target.inputFirst ? ratio : tf.reshape(ratio, [-1, 1]));
}

function configOf({ config, adapter }: AdaptedModel) {
  const { settings, layout } = adapter;
  return peftConfig(settings, {
    model: config,
    targets: [...layout.targets.keys()],
    saved: savedModules(adapter),
    inputFirst: [...layout.targets.values()].some(
      ({ kind, inputFirst }) => kind === 'projection' && inputFirst,
    ),
  });
}

/** The modules of the parameters that are trained whole, apart from biases that `bias` names. */
function savedModules({ layout, settings }: AdaptedModel['adapter']): readonly string[] {
  if (settings.modulesToSave.length === 0) return [];
  const parameters = [...layout.whole.keys()].filter(
    (name) =>
      settings.bias === 'none' ||
      !name.endsWith('.bias') ||
      layout.whole.has(name.replace(/bias$/, 'weight')),
  );
  return [...new Set(parameters.map((name) => name.replace(/\.\w+$/, '')))];
}

function tensorsOf({ config, adapter }: AdaptedModel): readonly TensorToWrite[] {
  const { settings, layout, variables, fixed } = adapter;
  const storedName = (name: string): string => {
    const [, module = '', parameter] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
    const isInside = layout.targets.has(module) && parameter !== undefined;
    return isInside ? `${module}.base_layer.${parameter}` : name;
  };
  const { head, embedding } = familyOf(config).tiedHead;
  const trained = variables.get(embedding);
  // PEFT asks for a head that stays tied, too.
  const tied = config.tied && settings.keepsTie && trained ? ([[head, trained]] as const) : [];
  return [...variables, ...fixed, ...tied].map(
    ([name, variable]): TensorToWrite => ({
      name: storedName(name),
      dtype: 'F32',
      shape: variable.shape,
      read: () => variable.data<'float32'>(),
    }),
  );
}
