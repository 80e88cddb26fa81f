import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../core/index.ts';
import { floatWeight, squaredWeightNorms, type TokenPlaces, tokenPlaces } from '../../tensor/index.ts';
import { freeze, type LanguageModel, parameterOf } from '../language-model.ts';
import { openAdapterFolder } from './adapter-folder.ts';
import {
  type AdapterLayout,
  adapterLayout,
  adapterTensors,
  type LoraSettings,
  tensorNames,
} from './adapter-layout.ts';
import { trainedRowsName } from './trained-tokens.ts';

/** The weights of an adapter on the active backend. */
export interface LoraAdapter {
  readonly settings: LoraSettings;
  readonly layout: AdapterLayout;
  /** What is trained, by PEFT's names without their common prefix. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  /** Parameters of the base that the adapter replaces and does not train, by name. */
  readonly fixed: ReadonlyMap<string, tf.Variable>;
  /** Which tokens the rows of a module belong to, by its name. */
  readonly places: ReadonlyMap<string, TokenPlaces>;
  readonly dispose: () => void;
}

/**
 * A new adapter, which changes nothing yet. As in PEFT, a projection's A is uniform within 1 / sqrt(I) of zero and its B is
 * zero; an embedding's A is zero and its B normal; a magnitude is the norm of the base's weights, and a parameter that is
 * trained whole a copy of the base's.
 */
export function newAdapter(
  model: LanguageModel,
  { settings, seed }: { readonly settings: LoraSettings; readonly seed: number },
): LoraAdapter {
  const layout = adapterLayout(model.config, settings);
  const variables = new Map<string, tf.Variable>();
  for (const [name, { kind, rank, inputSize, outputSize, weight, inputFirst }] of layout.targets) {
    const names = tensorNames(name, kind);
    const random = new RandomStream(['lora', seed, name]);
    const bound = 1 / Math.sqrt(inputSize);
    const uniform = () => bound * (2 * random.uniform() - 1);
    const [down, up] = kind === 'embedding' ? [zero, () => random.normal()] : [uniform, zero];
    variables.set(names.down, variableOf(filled(rank * inputSize, down), [rank, inputSize]));
    variables.set(names.up, variableOf(filled(outputSize * rank, up), [outputSize, rank]));
    if (!settings.dora) continue;
    const norms = tf.tidy(() => {
      const base = floatWeight(parameterOf(model, weight));
      return squaredWeightNorms({ weight: base, inputFirst }).dataSync<'float32'>().map(Math.sqrt);
    });
    variables.set(names.magnitude, variableOf(norms, [outputSize]));
  }
  for (const [name, { from }] of layout.whole) {
    const start = floatWeight(parameterOf(model, from));
    variables.set(name, tf.variable(start));
    start.dispose();
  }
  for (const [module, { from, ids, shape }] of layout.rows)
    variables.set(trainedRowsName(module), variableOf(rowsOf(parameterOf(model, from), ids), shape));
  return adapterOf(model, { settings, layout, variables, fixed: new Map() });
}

const zero = () => 0;

const filled = (count: number, value: () => number): Float32Array =>
  Float32Array.from({ length: count }, value);

function variableOf(values: Float32Array, shape: readonly number[]): tf.Variable {
  const tensor = tf.tensor(values, [...shape]);
  const variable = tf.variable(tensor);
  tensor.dispose();
  return variable;
}

function adapterOf({ config }: LanguageModel, parts: Omit<LoraAdapter, 'places' | 'dispose'>): LoraAdapter {
  const places = new Map(
    [...parts.layout.rows].map(([module, { ids }]) => [module, tokenPlaces(ids, config.vocabularySize)]),
  );
  return {
    ...parts,
    places,
    dispose: () => {
      tf.dispose([...parts.variables.values(), ...parts.fixed.values()]);
      for (const { ids, rowOf, isOwn } of places.values()) tf.dispose([ids, rowOf, isOwn]);
    },
  };
}

/** Rows of a table, [n, C]. */
export function rowsOf(table: tf.Tensor, ids: readonly number[]): Float32Array {
  const [, width = 0] = table.shape;
  const values = tf.tidy(() => floatWeight(table).dataSync<'float32'>());
  const rows = new Float32Array(ids.length * width);
  for (const [row, id] of ids.entries()) rows.set(values.subarray(id * width, (id + 1) * width), row * width);
  return rows;
}

/** Loads an adapter from a folder in PEFT's layout. Throws a UserError if it does not fit the model. */
export async function loadAdapter(model: LanguageModel, folder: string): Promise<LoraAdapter> {
  await using source = await openAdapterFolder(folder, model.config);
  const { settings, layout } = source;
  const variables = new Map<string, tf.Variable>();
  for (const [name, shape] of adapterTensors(layout, settings))
    variables.set(name, variableOf(await source.read(name), shape));
  const fixed = new Map<string, tf.Variable>();
  for (const name of source.fixed) {
    const values = await source.read(name);
    const own = parameterOf(model, name);
    const base = tf.tidy(() => floatWeight(own).dataSync<'float32'>());
    if (!isEqual(values, base)) fixed.set(name, variableOf(values, own.shape));
  }
  freeze(fixed.values());
  return adapterOf(model, { settings, layout, variables, fixed });
}

/** PEFT stores an embedding beside its adapter even if that is the base's. */
const isEqual = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);
