import type * as tf from '@tensorflow/tfjs-core';

/** The input of one forward pass. The N tokens of all texts form one row; only `attend` knows which belong together. */
export interface ForwardPass {
  readonly parameter: Parameters;
  /** int32 [N] */
  readonly ids: tf.Tensor;
  /** [N]: each token's position in its own text, from 0. */
  readonly positions: Int32Array;
  /** [N]: the current length of each token's text, without padding, for rotary embeddings that depend on it. */
  readonly textLengths: Int32Array;
  readonly embed: Embed;
  readonly attend: Attend;
  readonly adapt: Adapt;
  /** Whether a projection may have an adapter, by its name. */
  readonly adapts: (projection: string) => boolean;
  readonly drop: Drop;
  readonly layer: Layer;
  /** Takes the logits [N, E] of each layer's router, in models with experts, for a loss that depends on them. */
  readonly routed?: ((logits: tf.Tensor) => void) | undefined;
}

/** A model's parameters by their names in Hugging Face's checkpoints. */
type Parameters = (name: string) => tf.Tensor;

/** Looks up rows of an embedding, with its adapter if any: int32 [N] -> [N, C]. `name` is that of its weight, without `.weight`. */
export type Embed = (name: string, ids: tf.Tensor) => tf.Tensor;

/** Attention among the tokens of a pass: query [N, H D], key and value [N, K D] for K heads of keys and values -> [N, H D]. */
export type Attend = (projected: Projected) => tf.Tensor;

export interface Projected {
  readonly layer: number;
  readonly query: tf.Tensor;
  readonly key: tf.Tensor;
  readonly value: tf.Tensor;
}

/** Adds a projection's adapter, if any, to its output. */
export type Adapt = (projection: Projection) => tf.Tensor;

interface Projection {
  /** That of its weight, without `.weight`. */
  readonly name: string;
  /** [N, I] */
  readonly x: tf.Tensor;
  /** [N, O], the output without an adapter. */
  readonly y: tf.Tensor;
}

/** Adds an embedding's adapter, if any, to its rows. */
export type AdaptEmbedding = (lookup: Lookup) => tf.Tensor;

interface Lookup {
  readonly name: string;
  /** int32 [N] */
  readonly ids: tf.Tensor;
  /** [N, C], the rows without an adapter. */
  readonly y: tf.Tensor;
}

/** Applies dropout to a tensor in training; returns the tensor itself otherwise. */
export type Drop = (x: tf.Tensor, site: Omit<DropoutSite, 'shape'>) => tf.Tensor;

/** Computes a layer: hidden states [N, C] -> [N, C]. `name` is the start of its parameters' names, as `model.layers.3`. */
export type Layer = (name: string, x: tf.Tensor, compute: (x: tf.Tensor) => tf.Tensor) => tf.Tensor;

/** A place in a forward pass where elements may be dropped. */
export interface DropoutSite {
  readonly place: 'embedding' | 'attention' | 'residual' | 'adapter';
  /** Which of the places of this kind. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** The factors of the elements at a site: 0, or 1 / (1 - rate). Undefined if none is dropped. */
export type DropoutFactors = (site: DropoutSite) => tf.Tensor | undefined;

/** The part of a pass that a model's head needs. */
export type HeadPass = Pick<ForwardPass, 'parameter' | 'adapt'>;
