import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../core/index.ts';
import { IGNORED_TARGET, tokenLogLikelihoods } from '../../tensor/index.ts';
import { paddedRows } from '../attend-rows.ts';
import type { LanguageModel } from '../language-model.ts';
import { batchesByLength, lengthBucket } from './lengths.ts';
import { notFinite } from './sampler.ts';

/** A text whose end is scored, given its beginning. */
export interface TextToScore {
  readonly id: string;
  readonly tokens: Int32Array;
  /** The index of the first token that is scored, at least 1. */
  readonly from: number;
}

export interface TextScore {
  readonly id: string;
  /** Natural logarithm of the probability of all scored tokens. */
  readonly logLikelihood: number;
  readonly tokens: number;
}

/** Texts are padded to multiples of this many tokens. */
const textStep = 32;

/** Logits are computed for this many tokens at a time. */
const headRows = 256;

/** Log-likelihoods of texts, yielded batch by batch. A score depends on its own text alone. */
export async function* textLogLikelihoods({
  model,
  texts,
  batchSize,
  signal,
}: {
  readonly model: LanguageModel;
  readonly texts: readonly TextToScore[];
  /** Rows in every forward pass. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
}): AsyncGenerator<TextScore> {
  const { contextLength: limit } = model.config;
  checkLengths(texts, limit);
  const lengthOf = ({ tokens }: TextToScore) => lengthBucket(tokens.length - 1, { step: textStep, limit });
  for await (const { items, length } of batchesByLength(texts, { lengthOf, batchSize, signal }))
    yield* await scoreBatch(model, { items, batch: batchSize, length });
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
  readonly items: readonly TextToScore[];
  readonly batch: number;
  readonly length: number;
}

async function scoreBatch(model: LanguageModel, scoring: ScoringBatch): Promise<TextScore[]> {
  const { items, length } = scoring;
  const scored = items.flatMap(({ tokens, from }, row) =>
    Array.from(tokens.subarray(from), (target, index) => ({
      target,
      position: row * length + from - 1 + index,
    })),
  );
  const hidden = tf.tidy(() => hiddenStates(model, scoring));
  const scores = await tokenScores({ model, hidden, scored, rows: headRows });
  hidden.dispose();
  let start = 0;
  return items.map(({ id, tokens, from }) => {
    const own = scores.slice(start, start + tokens.length - from);
    start += own.length;
    const logLikelihood = own.reduce((sum, score) => sum + score.logLikelihood, 0);
    if (!Number.isFinite(logLikelihood)) throw notFinite(id);
    return { id, logLikelihood, tokens: own.length };
  });
}

/** [B T, C] */
function hiddenStates(model: LanguageModel, { items, batch, length }: ScoringBatch): tf.Tensor {
  const ids = new Int32Array(batch * length);
  for (const [row, { tokens }] of items.entries()) ids.set(tokens.subarray(0, -1), row * length);
  const lengths = Int32Array.from({ length: batch }, (_, row) => (items[row]?.tokens.length ?? 1) - 1);
  return model.hidden(paddedRows(model.config, { ids, batch, length, lengths }));
}

/** A token, and the position of the hidden state that predicts it. */
export interface ScoredToken {
  readonly target: number;
  readonly position: number;
}

export interface TokenScore {
  /** Natural logarithm of the token's probability. */
  readonly logLikelihood: number;
  /** Whether no other token is likelier. */
  readonly isGreedy: boolean;
}

/** How likely the model finds each token, in their order. */
export async function tokenScores({
  model,
  hidden,
  scored,
  rows,
}: {
  readonly model: LanguageModel;
  /** [N, C] */
  readonly hidden: tf.Tensor;
  readonly scored: readonly ScoredToken[];
  /** Logits are computed for M tokens at a time, because those of a whole batch would take gigabytes. */
  readonly rows: number;
}): Promise<TokenScore[]> {
  const scores: TokenScore[] = [];
  for (let start = 0; start < scored.length; start += rows) {
    const some = scored.slice(start, start + rows);
    const positions = Int32Array.from({ length: rows }, (_, index) => some[index]?.position ?? 0);
    const targets = Int32Array.from({ length: rows }, (_, index) => some[index]?.target ?? IGNORED_TARGET);
    const outputs = tf.tidy(() => {
      const logits = model.logits(tf.gather(hidden, tf.tensor1d(positions, 'int32'))); // [M, V]
      const likelihoods = tokenLogLikelihoods({ logits, targets: tf.tensor1d(targets, 'int32') }); // [M]
      return [likelihoods, tf.argMax(logits, 1)] as const; // [M] each
    });
    const [likelihoods, likeliest] = await Promise.all([outputs[0].data(), outputs[1].data()]);
    tf.dispose([...outputs]);
    for (const [index, { target }] of some.entries())
      scores.push({ logLikelihood: likelihoods[index] ?? 0, isGreedy: likeliest[index] === target });
  }
  return scores;
}
