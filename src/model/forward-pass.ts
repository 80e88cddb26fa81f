import type * as tf from '@tensorflow/tfjs-core';

/** What one forward pass computes on. The N tokens of all texts stand in one row; `attend` alone knows which belong together. */
export interface ForwardPass {
  readonly parameter: Parameters;
  /** int32 [N] */
  readonly ids: tf.Tensor;
  /** [N]: each token's place in its own text, from 0. */
  readonly positions: Int32Array;
  /** [N]: how many tokens each token's text has so far, without padding, for rotary embeddings that change with it. */
  readonly textLengths: Int32Array;
  readonly attend: Attend;
  readonly adapt: Adapt;
  readonly drop: Drop;
}

/** A model's parameters by their names in Hugging Face's checkpoints. */
type Parameters = (name: string) => tf.Tensor;

/** Attention among the tokens of a pass: query [N, H D], key and value [N, K D] for K heads of keys and values -> [N, H D]. */
export type Attend = (projected: Projected) => tf.Tensor;

export interface Projected {
  readonly layer: number;
  readonly query: tf.Tensor;
  readonly key: tf.Tensor;
  readonly value: tf.Tensor;
}

/** What comes of a projection named as its weight is, without `.weight`: its own output, or what adapters add to that. */
export type Adapt = (projection: Projection) => tf.Tensor;

interface Projection {
  readonly name: string;
  /** [N, I] */
  readonly x: tf.Tensor;
  /** [N, O], the weight's own product with x, bias and all. */
  readonly y: tf.Tensor;
}

/** What is left of a tensor where a training drops some of its elements; the tensor itself everywhere else. */
export type Drop = (x: tf.Tensor, site: Omit<DropoutSite, 'shape'>) => tf.Tensor;

/** One of the places of a forward pass where elements may be dropped. */
export interface DropoutSite {
  readonly place: 'embedding' | 'attention' | 'residual' | 'adapter';
  /** Which of the places of that kind. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** What the elements at a site are multiplied by: 0, or 1 / (1 - rate). Undefined where none is dropped. */
export type DropoutFactors = (site: DropoutSite) => tf.Tensor | undefined;

/** What the head of a model needs of a pass. */
export type HeadPass = Pick<ForwardPass, 'parameter' | 'adapt'>;
