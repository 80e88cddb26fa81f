import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel } from '../language-model.ts';
import { isLengthBound } from './lengths.ts';
import { type ScoredToken, type TokenScore, tokenScores } from './log-likelihoods.ts';
import { logSumExp } from './log-probabilities.ts';
import { notFinite } from './sampler.ts';
import { type ChoicesToScore, groupByPrefix, type PlannedTree, planTrees } from './token-trees.ts';
import { type CachedPrefix, disposePrefix, prefillPrefix, treeTokens } from './tree-attention.ts';
import { passesOf, type TreePass } from './tree-passes.ts';

interface ContinuationScore {
  /** Natural logarithm of the probability of all its tokens. */
  readonly logLikelihood: number;
  readonly tokens: number;
  /** Whether greedy decoding would give these tokens. */
  readonly isGreedy: boolean;
}

export interface ScoredChoices {
  readonly id: string;
  /** In the order of the continuations. */
  readonly scores: readonly ContinuationScore[];
}

/** Logits of continuations after their first token are computed for this many tokens at a time. */
const headRows = 64;

/**
 * Log-likelihoods of the continuations of contexts, yielded context by context. A context is computed once for all its
 * continuations, and a prefix that contexts share once for all of them. A score depends on its own context and
 * continuation alone, since they determine the shapes of its computation.
 */
export async function* choiceLogLikelihoods({
  model,
  choices,
  batchSize,
  signal,
}: {
  readonly model: LanguageModel;
  readonly choices: readonly ChoicesToScore[];
  /** Decides how many tokens a forward pass has: at most those of this many rows. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
}): AsyncGenerator<ScoredChoices> {
  const unfinished = new Map(choices.map((one) => [one.id, new Map<number, ContinuationScore>()]));
  const sizes = new Map(choices.map(({ id, continuations }) => [id, continuations.length]));
  const planned = planTrees(choices, { ...model.config, isLengthBound: isLengthBound(model.config) });
  for (const { prefix, trees } of groupByPrefix(planned)) {
    const cached = prefix.length === 0 ? undefined : await prefillPrefix(model, prefix);
    try {
      for await (const pass of passesOf(trees, { batchSize, signal })) {
        const scores = await scorePass(model, { ...pass, prefix: cached });
        yield* finished({ planned: pass.planned, scores, unfinished, sizes });
      }
    } finally {
      if (cached !== undefined) disposePrefix(cached);
    }
  }
}

interface ScoredPass extends TreePass {
  readonly prefix: CachedPrefix | undefined;
}

/** For each tree the scores of its continuations. */
async function scorePass(model: LanguageModel, pass: ScoredPass): Promise<(readonly ContinuationScore[])[]> {
  const { hidden, ends, starts } = await forward(model, pass);
  const later = pass.planned.flatMap(({ tree }, row) =>
    tree.continuations.flatMap(({ tokens, start }) => laterTokens(tokens, (starts[row] ?? 0) + start)),
  );
  const scores =
    hidden === undefined ? [] : await tokenScores({ model, hidden, scored: later, rows: headRows });
  hidden?.dispose();
  const ofLater = scores.values();
  return pass.planned.map(({ id, tree }, row) => {
    const ofFirst = firstTokenScores(ends[row] ?? new Float32Array());
    return tree.continuations.map(({ tokens }) => {
      const own = Array.from(tokens, (token, index) => (index === 0 ? ofFirst(token) : ofLater.next().value));
      const logLikelihood = own.reduce((sum, one) => sum + (one?.logLikelihood ?? Number.NaN), 0);
      if (!Number.isFinite(logLikelihood)) throw notFinite(id);
      return { logLikelihood, tokens: own.length, isGreedy: own.every((one) => one?.isGreedy) };
    });
  });
}

/** The tokens of a continuation after its first, beside the positions that predict them. */
const laterTokens = (tokens: Int32Array, start: number): readonly ScoredToken[] =>
  Array.from(tokens.subarray(1), (target, index) => ({ target, position: start + index }));

/** The score of any token by the logits [V] before it. */
function firstTokenScores(logits: Float32Array): (token: number) => TokenScore {
  const likeliest = logits.reduce((best, logit, token) => (logit > (logits[best] ?? 0) ? token : best), 0);
  const total = logSumExp(logits);
  return (token) => ({
    logLikelihood: (logits[token] ?? Number.NaN) - total,
    isGreedy: token === likeliest,
  });
}

async function forward(
  model: LanguageModel,
  { planned, shape, prefix }: ScoredPass,
): Promise<{
  /** [N, C], owned by the caller; undefined if every continuation has a single token. */
  readonly hidden: tf.Tensor | undefined;
  /** The logits after each tree's context, [V] each: of all continuations' first tokens. */
  readonly ends: readonly Float32Array[];
  /** Where each tree begins among the N tokens. */
  readonly starts: readonly number[];
}> {
  const trees = planned.map(({ tree }) => tree);
  const isSingle = trees.every(({ continuations }) =>
    continuations.every(({ tokens }) => tokens.length === 1),
  );
  let starts: readonly number[] = [];
  const [logits, hidden] = tf.tidy(() => {
    const input = treeTokens(model.config, { trees, shape, prefix });
    starts = input.starts;
    const states = model.hidden(input.tokens);
    const positions = new Int32Array(shape.rows);
    for (const [row, { contextEnd }] of trees.entries()) positions[row] = (starts[row] ?? 0) + contextEnd;
    const chosen = tf.gather(states, tf.tensor1d(positions, 'int32'));
    return [model.logits(chosen), ...(isSingle ? [] : [states])] as const; // [B, V], [N, C]
  });
  const values = await logits.data<'float32'>();
  logits.dispose();
  const vocabulary = values.length / shape.rows;
  const ends = trees.map((_, row) => values.subarray(row * vocabulary, (row + 1) * vocabulary));
  return { hidden, ends, starts };
}

/** Stores the scores of a pass, and yields the contexts that are now complete. */
function* finished({
  planned,
  scores,
  unfinished,
  sizes,
}: {
  readonly planned: readonly PlannedTree[];
  readonly scores: readonly (readonly ContinuationScore[])[];
  readonly unfinished: Map<string, Map<number, ContinuationScore>>;
  readonly sizes: ReadonlyMap<string, number>;
}): Generator<ScoredChoices> {
  for (const [index, { id, from }] of planned.entries()) {
    const known = unfinished.get(id) ?? new Map<number, ContinuationScore>();
    for (const [offset, score] of (scores[index] ?? []).entries()) known.set(from + offset, score);
    if (known.size !== sizes.get(id)) continue;
    unfinished.delete(id);
    yield { id, scores: [...known].sort(([a], [b]) => a - b).map(([, score]) => score) };
  }
}
