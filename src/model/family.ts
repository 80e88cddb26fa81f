import type { JsonObject } from '../core/index.ts';

/** What every family's configuration says. */
export interface ModelSizes {
  readonly vocabularySize: number;
  /** The longest text in tokens. */
  readonly contextLength: number;
  /** Extent of a hidden state, C. */
  readonly hiddenSize: number;
  readonly layers: number;
  /** Attention heads, each of `headDim`. */
  readonly heads: number;
  /** Heads of keys and values, each shared by as many query heads as `heads` is a multiple of them. */
  readonly keyValueHeads: number;
  readonly headDim: number;
  /** How many tokens a token looks back on, itself included; all where undefined. */
  readonly slidingWindow: number | undefined;
  /** Whether the head's weights are the token embedding itself. */
  readonly tied: boolean;
  /** The config.json that it was read from, for writing the model out again. */
  readonly json: JsonObject;
}

/** What a parameter looks like, and where it starts when a model is made from nothing. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  /** A constant, or normal with mean 0 and this standard deviation. */
  readonly initial: { readonly constant: number } | { readonly deviation: number };
}

/** How a family's checkpoints name their tensors. */
export interface CheckpointNames {
  /** The names under which a parameter may stand in a file; the first is the one that is written. */
  readonly aliases: (name: string) => readonly string[];
  /** Tensors that are no parameters and may be left unread. */
  readonly ignored: (name: string) => boolean;
  /** The head of a tied model may be stored too, as long as it equals the embedding. */
  readonly tiedHead: { readonly head: string; readonly embedding: string };
}
