import type { JsonObject } from '../core/index.ts';
import type { Rotary } from './rotary/rotary-config.ts';

/** The sizes that every family's configuration has. */
export interface ModelSizes {
  readonly vocabularySize: number;
  /** The longest text, in tokens. */
  readonly contextLength: number;
  /** C */
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  /** Attention heads, H. */
  readonly heads: number;
  /** Heads of keys and values, K; each is shared by H / K query heads. */
  readonly keyValueHeads: number;
  /** D */
  readonly headDim: number;
  /** For each layer, how many tokens a token attends to, itself included; all if undefined. */
  readonly windows: readonly (number | undefined)[];
  /** Attention scores are squeezed between -cap and cap, if there is one. */
  readonly scoreCap?: number | undefined;
  /** How heads are rotated by position, in families without learned positions. */
  readonly rotary?: Rotary;
  /** Whether the head's weights are the token embedding. */
  readonly tied: boolean;
  /** The config.json that it was read from, for writing the model again. */
  readonly json: JsonObject;
  /** For the user: what was ignored in it. */
  readonly notes: readonly string[];
}

/** What a family of models declares besides its forward pass. */
export interface Family<Config> {
  /** Every parameter by its name in Hugging Face's checkpoints, in the order of the forward pass. */
  parameters(config: Config): ReadonlyMap<string, ParameterSpec>;
  /** The names that a parameter may have in a checkpoint; the first is the one that is written. */
  readonly aliases: (name: string) => readonly string[];
  /** Tensors that are not parameters and may be skipped. */
  readonly ignored: (name: string) => boolean;
  /** A tied model's head may be stored too, if it equals the embedding. */
  readonly tiedHead: { readonly head: string; readonly embedding: string };
  /** Embeddings, whose rows are looked up; every other matrix is a projection, which LoRA can adapt. */
  readonly embeddings: readonly string[];
  /** Whether the projections of its blocks are stored [in, out], not [out, in]. */
  readonly inputFirst: boolean;
  /** Whether the feed-forward layer is gated: two projections of the hidden state instead of one. */
  readonly gated: boolean;
  readonly dropout: {
    /** The fields of config.json that have the rates. */
    readonly fields: Readonly<Record<'embedding' | 'attention' | 'residual', string>>;
    /** The rate that transformers uses if a field is absent. */
    readonly absent: number;
    /** Whether only attention has dropout. */
    readonly attentionOnly: boolean;
  };
}

export interface ParameterSpec {
  readonly shape: readonly number[];
  /** How a new model starts: with a constant, or normal with mean 0 and this standard deviation. */
  readonly initial: { readonly constant: number } | { readonly deviation: number };
}
