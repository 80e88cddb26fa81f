import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { paddedRows } from '../attend-rows.ts';
import type { LanguageModel } from '../language-model.ts';
import { promptLength } from './lengths.ts';
import { rowsPerPass } from './prefill-queue.ts';

/** A token and the natural logarithm of its probability. */
export interface LogProbability {
  readonly token: number;
  readonly logProbability: number;
}

/** A token of a text, beside the likeliest tokens in its place, the likeliest first. */
export interface TokenLogProbability extends LogProbability {
  readonly top: readonly LogProbability[];
}

/** How likely a token is by the logits [V] before it, and which `top` tokens are likeliest. Equally likely ones come by id. */
export function logProbabilities(logits: Float32Array, token: number, top: number): TokenLogProbability {
  const total = logSumExp(logits);
  const of = (id: number): LogProbability => ({ token: id, logProbability: (logits[id] ?? 0) - total });
  return { ...of(token), top: likeliest(logits, top).map(of) };
}

/** The natural logarithm of the sum of the logits' exponentials: a logit less this is a log-probability. */
export function logSumExp(logits: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}

/** The ids of the largest logits, largest first. */
function likeliest(logits: Float32Array, count: number): readonly number[] {
  const best: number[] = [];
  for (let token = 0; token < logits.length && count > 0; token++) {
    const logit = logits[token] ?? 0;
    if (best.length === count && logit <= (logits[best.at(-1) ?? 0] ?? 0)) continue;
    const after = best.findIndex((other) => (logits[other] ?? 0) < logit);
    best.splice(after < 0 ? best.length : after, 0, token);
    if (best.length > count) best.pop();
  }
  return best;
}

export interface ScoredPrompt {
  /** For each token but the first. */
  readonly scores: readonly TokenLogProbability[];
  /** After the last token, [V]. */
  readonly logits: Float32Array;
}

/** Logits are computed for this many tokens at a time: those of a long prompt would take gigabytes. */
const headRows = 64;

/**
 * Scores every token of prompts of one padded length, at most `rowsPerPass` of them. The shape of the pass follows from
 * that length and the batch size alone, so no score depends on another prompt.
 */
export async function scorePrompts({
  model,
  prompts,
  batchSize,
  top,
}: {
  readonly model: LanguageModel;
  readonly prompts: readonly Int32Array[];
  readonly batchSize: number;
  /** How many of the likeliest tokens are told for each prompt. */
  readonly top: readonly number[];
}): Promise<readonly ScoredPrompt[]> {
  const length = promptLength(prompts[0]?.length ?? 1, model.config.contextLength);
  const batch = rowsPerPass(length, batchSize);
  const ids = new Int32Array(batch * length);
  for (const [row, prompt] of prompts.entries()) ids.set(prompt, row * length);
  const lengths = Int32Array.from({ length: batch }, (_, row) => prompts[row]?.length ?? 1);
  const hidden = tf.tidy(() => model.hidden(paddedRows(model.config, { ids, batch, length, lengths })));
  try {
    const scored: ScoredPrompt[] = [];
    for (const [row, prompt] of prompts.entries())
      scored.push(await scoreRow(model, { hidden, prompt, start: row * length, top: top[row] ?? 0 }));
    return scored;
  } finally {
    hidden.dispose();
  }
}

async function scoreRow(
  model: LanguageModel,
  {
    hidden,
    prompt,
    start,
    top,
  }: {
    /** [B T, C] */
    readonly hidden: tf.Tensor;
    readonly prompt: Int32Array;
    readonly start: number;
    readonly top: number;
  },
): Promise<ScoredPrompt> {
  const scores: TokenLogProbability[] = [];
  let last = new Float32Array();
  for (let from = 0; from < prompt.length; from += headRows) {
    const count = Math.min(headRows, prompt.length - from);
    const positions = Int32Array.from(
      { length: headRows },
      (_, index) => start + from + Math.min(index, count - 1),
    );
    const output = tf.tidy(() => model.logits(tf.gather(hidden, tf.tensor1d(positions, 'int32')))); // [M, V]
    const logits = await output.data<'float32'>();
    output.dispose();
    const vocabulary = logits.length / headRows;
    for (let index = 0; index < count; index++) {
      const own = logits.subarray(index * vocabulary, (index + 1) * vocabulary);
      const token = prompt[from + index + 1];
      if (token === undefined) last = own.slice();
      else scores.push(logProbabilities(own, token, top));
    }
    await yieldToEventLoop();
  }
  return { scores, logits: last };
}
