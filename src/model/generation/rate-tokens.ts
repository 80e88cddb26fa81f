import * as tf from '@tensorflow/tfjs-core';
import { IGNORED_TARGET, tokenLogLikelihoods } from '../../tensor/index.ts';
import type { LanguageModel } from '../language-model.ts';

/** A token, and the place among the hidden states of that which is to predict it. */
export interface RatedToken {
  readonly target: number;
  readonly place: number;
}

export interface TokenRating {
  /** Natural logarithm of the token's probability. */
  readonly logLikelihood: number;
  /** Whether no other token is likelier. */
  readonly isGreedy: boolean;
}

export interface TokenRatings {
  readonly model: LanguageModel;
  /** [N, C] */
  readonly hidden: tf.Tensor;
  readonly rated: readonly RatedToken[];
  /** Logits are made for so many tokens at a time, M, always that many: a whole batch's would take gigabytes. */
  readonly rows: number;
}

/** How likely the model finds each token, in their order. */
export async function rateTokens({ model, hidden, rated, rows }: TokenRatings): Promise<TokenRating[]> {
  const ratings: TokenRating[] = [];
  for (let start = 0; start < rated.length; start += rows) {
    const some = rated.slice(start, start + rows);
    const places = Int32Array.from({ length: rows }, (_, index) => some[index]?.place ?? 0);
    const targets = Int32Array.from({ length: rows }, (_, index) => some[index]?.target ?? IGNORED_TARGET);
    const outputs = tf.tidy(() => {
      const logits = model.logits(tf.gather(hidden, tf.tensor1d(places, 'int32'))); // [M, V]
      const likelihoods = tokenLogLikelihoods({ logits, targets: tf.tensor1d(targets, 'int32') }); // [M]
      return [likelihoods, tf.argMax(logits, 1)] as const; // [M] each
    });
    const [likelihoods, likeliest] = await Promise.all([outputs[0].data(), outputs[1].data()]);
    tf.dispose([...outputs]);
    for (const [index, { target }] of some.entries())
      ratings.push({ logLikelihood: likelihoods[index] ?? 0, isGreedy: likeliest[index] === target });
  }
  return ratings;
}
