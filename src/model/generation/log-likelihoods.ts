import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../core/index.ts';
import { IGNORED_TARGET, tokenLogLikelihoods } from '../../tensor/index.ts';
import { paddedRows } from '../attend-rows.ts';
import type { LanguageModel } from '../language-model.ts';
import { groupByLength, lengthBucket } from './lengths.ts';
import { notFinite } from './sampler.ts';

/** A text whose end is to be rated, given its beginning. */
export interface TextToScore {
  readonly id: string;
  readonly tokens: Int32Array;
  /** The first token that is rated, at least 1: what stands before it is given. */
  readonly from: number;
}

export interface TextScore {
  readonly id: string;
  /** Natural logarithm of the probability of the rated tokens, one after the other. */
  readonly logLikelihood: number;
  readonly tokens: number;
}

interface Scoring {
  readonly model: LanguageModel;
  readonly texts: readonly TextToScore[];
  /** Rows that are rated together, always that many. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** Texts are padded to multiples of this many tokens. */
const textStep = 32;

/** Logits are made for so many tokens at a time. */
const headRows = 256;

/** Rates texts, yielding each score as it is there. A score depends on its own text alone. */
export async function* scoreTexts({ model, texts, batchSize, signal }: Scoring): AsyncGenerator<TextScore> {
  const { contextLength: limit } = model.config;
  checkLengths(texts, limit);
  const groups = groupByLength(texts, ({ tokens }) =>
    lengthBucket(tokens.length - 1, { step: textStep, limit }),
  );
  for (const [length, group] of groups)
    for (let start = 0; start < group.length; start += batchSize) {
      await setImmediate(); // lets an abort arrive
      signal.throwIfAborted();
      const items = group.slice(start, start + batchSize);
      yield* await scoreBatch({ model, items, batch: batchSize, length });
    }
}

function checkLengths(texts: readonly TextToScore[], contextLength: number): void {
  const tooLong = texts.filter(({ tokens }) => tokens.length - 1 > contextLength);
  if (tooLong.length === 0) return;
  throw new UserError({
    code: 'context-limit',
    message: `${tooLong.length} of ${texts.length} records are longer than the model's context of ${contextLength} tokens`,
    help: 'leave out longer records or take a model with a longer context',
    records: tooLong.map(({ id, tokens }) => ({
      id,
      problem: `it has ${tokens.length - 1} tokens with its end of text`,
    })),
  });
}

interface ScoringBatch {
  readonly model: LanguageModel;
  readonly items: readonly TextToScore[];
  readonly batch: number;
  readonly length: number;
}

async function scoreBatch(scoring: ScoringBatch): Promise<TextScore[]> {
  const { items, length } = scoring;
  const rated = items.flatMap(({ tokens, from }, row) =>
    Array.from(tokens.subarray(from), (target, index) => ({
      target,
      place: row * length + from - 1 + index,
    })),
  );
  const ratings = await ratingsOf(scoring, rated);
  let read = 0;
  return items.map(({ id, tokens, from }) => {
    const own = ratings.slice(read, read + tokens.length - from);
    read += own.length;
    const logLikelihood = own.reduce((sum, rating) => sum + rating.logLikelihood, 0);
    if (!Number.isFinite(logLikelihood)) throw notFinite(id);
    return { id, logLikelihood, tokens: own.length };
  });
}

async function ratingsOf(scoring: ScoringBatch, rated: readonly RatedToken[]): Promise<TokenRating[]> {
  const { model, items, batch, length } = scoring;
  const ids = new Int32Array(batch * length);
  for (const [row, { tokens }] of items.entries()) ids.set(tokens.subarray(0, -1), row * length);
  const lengths = Int32Array.from({ length: batch }, (_, row) => (items[row]?.tokens.length ?? 1) - 1);
  const hidden = tf.tidy(() => model.hidden(paddedRows(model.config, { ids, batch, length, lengths }))); // [B T, C]
  const ratings = await rateTokens({ model, hidden, rated, rows: headRows });
  hidden.dispose();
  return ratings;
}

/** A token, and the place among the hidden states of that which is to predict it. */
export interface RatedToken {
  readonly target: number;
  readonly place: number;
}

interface TokenRating {
  /** Natural logarithm of the token's probability. */
  readonly logLikelihood: number;
  /** Whether no other token is likelier. */
  readonly isGreedy: boolean;
}

interface TokenRatings {
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
