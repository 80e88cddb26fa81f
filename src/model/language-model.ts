import * as tf from '@tensorflow/tfjs-core';
import {
  constantWeights,
  disposeWeight,
  embeddingLookup,
  type Products,
  quantizedVariable,
  roundedVariable,
  type WeightPrecision,
} from '../tensor/index.ts';
import { type BasePrecision, matrixLayouts, quantizedMatrices } from './base-precision.ts';
import { openModelFolder, writeModelFolder } from './folder/model-folder.ts';
import type {
  Adapt,
  AdaptEmbedding,
  Drop,
  DropoutFactors,
  Embed,
  ForwardPass,
  HeadPass,
  Layer,
} from './forward-pass.ts';
import { gemmaHidden, gemmaLogits } from './gemma/gemma.ts';
import { gptNeoxHidden, gptNeoxLogits } from './gpt-neox/gpt-neox.ts';
import { gpt2Hidden, gpt2Logits } from './gpt2/gpt2.ts';
import { llamaHidden, llamaLogits } from './llama/llama.ts';
import { type ModelConfig, parameterLayout } from './model-config.ts';
import { olmo2Hidden } from './olmo2/olmo2.ts';
import { phiHidden, phiLogits } from './phi/phi.ts';

/** A model with its weights on the active tensor backend. */
export interface LanguageModel {
  readonly config: ModelConfig;
  /** By name, in the order of the forward pass. Owned by the model until `dispose`. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /** What a training updates: all parameters, those that are not frozen, or adapters. */
  readonly trainable: ReadonlyMap<string, tf.Variable>;
  /** The dropout rate of its adapter's inputs in training, if it has an adapter. */
  readonly adapterDropout?: number;
  /** Hidden states of N tokens after the last norm: [N, C]. */
  readonly hidden: (tokens: Tokens) => tf.Tensor;
  /** The vocabulary's logits for M of those states: [M, C] -> [M, V]. */
  readonly logits: (hidden: tf.Tensor, tuning?: Tuning) => tf.Tensor;
  readonly dispose: () => void;
}

/** The input of a forward pass; the model adds the weights. */
export interface Tokens extends Pick<ForwardPass, 'ids' | 'positions' | 'textLengths' | 'attend'>, Tuning {}

/** What a training adds to a forward pass. */
interface Tuning {
  readonly adapt?: Adapt | undefined;
  /** Which projections have adapters; all, if there is `adapt` alone. */
  readonly adapts?: ForwardPass['adapts'] | undefined;
  readonly adaptEmbedding?: AdaptEmbedding | undefined;
  /** Tensors that stand in for parameters, by name. */
  readonly replaced?: ReadonlyMap<string, tf.Tensor> | undefined;
  /** [N, C], added to the embedded tokens. */
  readonly noise?: tf.Tensor | undefined;
  readonly dropout?: DropoutFactors | undefined;
  /** How layers are computed; by default as they come. */
  readonly layer?: Layer | undefined;
  readonly routed?: ForwardPass['routed'];
}

interface Opening {
  /**
   * `float32` widens every weight. Otherwise matrices that the folder has in blocks stay as they are there; what it has in
   * float is rounded with `exact` products, if it is a projection, and by `quantizeWeights` with `rounded` ones.
   */
  readonly precision?: BasePrecision;
  readonly products?: Products;
  /** Called with what the folder has in blocks. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/**
 * Loads a model folder onto the active backend, one parameter at a time; matrices that are quantized are in float32 only
 * while they are read, and have no values of their own afterwards.
 */
export async function openLanguageModel(
  folder: string,
  { precision = 'float32', products = 'exact', onNote }: Opening = {},
): Promise<LanguageModel> {
  await using source = await openModelFolder(folder);
  const parameters = new Map<string, tf.Variable>();
  const matrices = matrixLayouts(source.config);
  const rounded = quantizedMatrices(source.config, products === 'exact' ? precision : 'float32');
  const kept = { 4: 0, 8: 0 };
  for (const [name, { shape }] of parameterLayout(source.config)) {
    const [matrix, rounding] = [matrices.get(name), rounded.get(name)];
    const blocks = matrix && precision !== 'float32' ? await source.readQuantized?.(name) : undefined;
    if (matrix !== undefined && blocks !== undefined) {
      parameters.set(name, quantizedVariable(blocks, { ...matrix, products }));
      kept[blocks.bits]++;
    } else if (rounding !== undefined)
      parameters.set(name, roundedVariable(await source.read(name), { ...rounding, products }));
    else {
      const values = tf.tensor(await source.read(name), [...shape]);
      parameters.set(name, tf.variable(values));
      values.dispose();
    }
  }
  if (kept[4] + kept[8] > 0)
    onNote?.(
      `${kept[4] + kept[8]} of ${matrices.size} matrices keep the bits that the model's file has: ${kept[4]} in 4 bits, ${kept[8]} in 8 bits`,
    );
  return languageModel(source.config, parameters);
}

/** Writes config.json and model.safetensors; the caller copies the tokenizer's files. */
export function saveLanguageModel(folder: string, model: LanguageModel): Promise<void> {
  const read = (name: string) => parameterOf(model, name).data<'float32'>();
  return writeModelFolder(folder, { config: model.config, read });
}

/** A family's forward pass. It is apart from model-config.ts, which planning loads without a tensor library. */
interface Decoder<Config> {
  /** The hidden states after the last norm, [N, C]. */
  hidden(config: Config, pass: ForwardPass): tf.Tensor;
  /** [M, C] -> [M, V] */
  logits(config: Config, hidden: tf.Tensor, pass: HeadPass): tf.Tensor;
}

const decoders: Readonly<Record<ModelConfig['family'], Decoder<ModelConfig>>> = {
  gpt2: { hidden: gpt2Hidden, logits: gpt2Logits },
  llama: { hidden: llamaHidden, logits: llamaLogits },
  olmo2: { hidden: olmo2Hidden, logits: llamaLogits },
  gpt_neox: { hidden: gptNeoxHidden, logits: gptNeoxLogits },
  phi: { hidden: phiHidden, logits: phiLogits },
  gemma: { hidden: gemmaHidden, logits: gemmaLogits },
};

const unadapted = ({ y }: { readonly y: tf.Tensor }): tf.Tensor => y;

const computed: Layer = (_name, x, compute) => compute(x);

const dropWith =
  (factorsAt: DropoutFactors | undefined): Drop =>
  (x, site) => {
    const factors = factorsAt?.({ ...site, shape: x.shape });
    return factors === undefined ? x : tf.mul(x, factors);
  };

/** A model whose weights are already on the backend. */
export function languageModel(
  config: ModelConfig,
  parameters: ReadonlyMap<string, tf.Variable>,
): LanguageModel {
  const parametersWith = (replaced: Tuning['replaced']) => (name: string) =>
    replaced?.get(name) ?? parameterOf({ parameters }, name);
  const decoder = decoders[config.family];
  return {
    config,
    parameters,
    trainable: parameters,
    hidden: (given) => {
      const {
        adapt = unadapted,
        adapts,
        adaptEmbedding = unadapted,
        replaced,
        noise,
        dropout,
        layer,
        ...tokens
      } = given;
      const parameter = parametersWith(replaced);
      const embed: Embed = (name, ids) => {
        const y = embeddingLookup({ table: parameter(`${name}.weight`), ids });
        const embedded = adaptEmbedding({ name, ids, y });
        // GPT-2 embeds positions too.
        return noise === undefined || ids !== tokens.ids ? embedded : tf.add(embedded, noise);
      };
      return decoder.hidden(config, {
        ...{ ...tokens, parameter, embed, adapt },
        adapts: adapts ?? (() => adapt !== unadapted),
        drop: dropWith(dropout),
        layer: layer ?? computed,
      });
    },
    logits: (hidden, { adapt = unadapted, replaced } = {}) =>
      decoder.logits(config, hidden, { parameter: parametersWith(replaced), adapt }),
    dispose: () => {
      for (const variable of parameters.values()) disposeWeight(variable);
    },
  };
}

/** A parameter of a model by its name in checkpoints. */
export function parameterOf({ parameters }: Pick<LanguageModel, 'parameters'>, name: string): tf.Variable {
  const parameter = parameters.get(name);
  if (parameter === undefined) throw new Error(`No parameter has the name ${name}`);
  return parameter;
}

/** Excludes variables from gradients. */
export function freeze(variables: Iterable<tf.Variable>): void {
  for (const variable of variables) variable.trainable = false;
}

/**
 * Lets the backend prepare and quantize a model's weights once for generation; until disposed of, they must not change. With
 * `int4` embeddings and the head are in 8 bits, as in most files in 4 bits: they count most.
 */
export const quantizeWeights = (
  { config, parameters }: LanguageModel,
  precision: WeightPrecision = 'float32',
): Disposable => {
  // Weights that are kept quantized have no values of their own.
  const named = [...parameters].filter(([, { isDisposed }]) => !isDisposed);
  const matrices = matrixLayouts(config);
  const isOuter = ([name]: readonly [string, tf.Variable]) => matrices.get(name)?.isProjection === false;
  const inEightBits = new Set(named.filter(isOuter).map(([, tensor]) => tensor));
  preparations.set(parameters, {});
  const prepared = constantWeights({ tensors: named.map(([, tensor]) => tensor), precision, inEightBits });
  return {
    [Symbol.dispose]: () => {
      prepared[Symbol.dispose]();
      preparations.delete(parameters);
    },
  };
};

const preparations = new WeakMap<LanguageModel['parameters'], object>();

/** Stands for how a model's weights are computed with: another object after each preparation. */
export const preparationOf = ({ parameters }: LanguageModel): object =>
  preparations.get(parameters) ?? parameters;
