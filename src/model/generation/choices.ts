import * as tf from '@tensorflow/tfjs-core';
import { paddedRows } from '../attend-rows.ts';
import type { LanguageModel } from '../language-model.ts';
import { masksByWindow } from '../windows.ts';
import { batchesByLength, isLengthBound, lengthBucket } from './lengths.ts';
import { tokenScores } from './log-likelihoods.ts';
import { notFinite } from './sampler.ts';
import {
  attendTree,
  type CachedPrefix,
  type ChoicesToScore,
  groupByPrefix,
  type PlannedRow,
  planRows,
  type TokenTree,
  treeMask,
} from './tree-attention.ts';

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

/** Rows are padded to multiples of this many tokens. */
const rowStep = 32;

/** Logits are computed for this many tokens at a time; few records have longer continuations. */
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
  /** Rows in every forward pass, B. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
}): AsyncGenerator<ScoredChoices> {
  const unfinished = new Map(choices.map((one) => [one.id, new Map<number, ContinuationScore>()]));
  const sizes = new Map(choices.map(({ id, continuations }) => [id, continuations.length]));
  const planned = planRows(choices, { ...model.config, isLengthBound: isLengthBound(model.config) });
  for (const { prefix, rows } of groupByPrefix(planned)) {
    const cached = prefix.length === 0 ? undefined : await prefillPrefix(model, prefix);
    try {
      for await (const { items, length } of batchesByLength(rows, { lengthOf, batchSize, signal })) {
        const batch = { planned: items, batch: batchSize, length };
        const scores = await scoreBatch(model, { ...batch, prefix: cached });
        yield* finished({ ...batch, scores, unfinished, sizes });
      }
    } finally {
      for (const { key, value } of cached ?? []) tf.dispose([key, value]);
    }
  }
}

const lengthOf = ({ row }: PlannedRow): number =>
  lengthBucket(row.ids.length, { step: rowStep, limit: Number.MAX_SAFE_INTEGER });

interface ScoringBatch {
  readonly planned: readonly PlannedRow[];
  readonly prefix: CachedPrefix | undefined;
  readonly batch: number;
  readonly length: number;
}

/** For each row the scores of its continuations. */
async function scoreBatch(
  model: LanguageModel,
  batch: ScoringBatch,
): Promise<(readonly ContinuationScore[])[]> {
  const { planned, length } = batch;
  const hidden = tf.tidy(() => hiddenStates(model, batch));
  const scored = planned.flatMap(({ row }, index) =>
    row.scored.flat().map(({ target, position }) => ({ target, position: index * length + position })),
  );
  const scores = (await tokenScores({ model, hidden, scored, rows: headRows })).values();
  hidden.dispose();
  return planned.map(({ id, row }) =>
    row.scored.map((tokens) => {
      const own = tokens.map(() => scores.next().value ?? { logLikelihood: Number.NaN, isGreedy: false });
      const logLikelihood = own.reduce((sum, one) => sum + one.logLikelihood, 0);
      if (!Number.isFinite(logLikelihood)) throw notFinite(id);
      return { logLikelihood, tokens: own.length, isGreedy: own.every(({ isGreedy }) => isGreedy) };
    }),
  );
}

/** [B T, C] */
function hiddenStates(model: LanguageModel, { planned, prefix, batch, length }: ScoringBatch): tf.Tensor {
  const joined = (valuesOf: (row: TokenTree) => Int32Array) => {
    const values = new Int32Array(batch * length);
    for (const [index, { row }] of planned.entries()) values.set(valuesOf(row), index * length);
    return values;
  };
  const maskOf = masksByWindow(model.config, (window = Number.POSITIVE_INFINITY) => {
    const mask = new Float32Array(batch * length * length);
    for (let index = 0; index < batch; index++)
      mask.set(treeMask(planned[index]?.row ?? noRow, { length, window }), index * length * length);
    return tf.tensor(mask, [batch, 1, 1, length, length]);
  });
  const attend = attendTree(model.config, {
    batch,
    length,
    maskOf,
    prefix,
  });
  return model.hidden({
    ids: tf.tensor1d(
      joined(({ ids }) => ids),
      'int32',
    ),
    positions: joined(({ positions }) => positions),
    // Read only by models for which every row has a single text.
    textLengths: joined(({ ids, positions }) => ids.map(() => (positions.at(-1) ?? 0) + 1)),
    attend,
  });
}

const noRow = { branches: new Int32Array(), positions: new Int32Array() };

/** Stores the scores of a batch, and yields the contexts that are now complete. */
function* finished({
  planned,
  scores,
  unfinished,
  sizes,
}: {
  readonly planned: readonly PlannedRow[];
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

/** The keys and values of a text in every layer, owned by the caller. */
async function prefillPrefix(model: LanguageModel, tokens: Int32Array): Promise<CachedPrefix> {
  const kept: { key: tf.Tensor; value: tf.Tensor }[] = [];
  tf.tidy(() => {
    const rows = paddedRows(model.config, { ids: tokens, batch: 1, length: tokens.length });
    model.hidden({
      ...rows,
      attend: (projected) => {
        // Keys and values may be views of tensors that end with the pass, so keep copies.
        kept.push({ key: tf.keep(tf.clone(projected.key)), value: tf.keep(tf.clone(projected.value)) });
        return rows.attend(projected);
      },
    });
  });
  // Computed now: a lazy backend would compute them with their first use, possibly with other rounding.
  await Promise.all(kept.flatMap(({ key, value }) => [key.data(), value.data()]));
  return kept;
}
