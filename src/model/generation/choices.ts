import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { paddedRows } from '../attend-rows.ts';
import type { LanguageModel } from '../language-model.ts';
import { groupByLength, lengthBucket } from './lengths.ts';
import { rateTokens } from './log-likelihoods.ts';
import { notFinite } from './sampler.ts';
import {
  attendBranches,
  type BranchedRow,
  branchedMask,
  type CachedPrefix,
  type ChoicesToRate,
  isLengthBound,
  type PlannedRow,
  planRows,
  samePrefixes,
} from './tree-attention.ts';

/** How likely one continuation of a context is. */
interface ContinuationRating {
  /** Natural logarithm of the probability of its tokens, one after the other. */
  readonly logLikelihood: number;
  readonly tokens: number;
  /** Whether each of them is the likeliest at its place. */
  readonly isGreedy: boolean;
}

export interface RatedChoices {
  readonly id: string;
  /** In the order of the continuations. */
  readonly ratings: readonly ContinuationRating[];
}

interface ChoiceRating {
  readonly model: LanguageModel;
  readonly choices: readonly ChoicesToRate[];
  /** Rows that are worked on together, always that many, B. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** Rows are padded to multiples of this many tokens. */
const rowStep = 32;

/** Logits are made for so many tokens at a time: few records have more continuations than fit. */
const headRows = 64;

/**
 * Rates the continuations of contexts, yielding each context's as they are there. What is common to the continuations of
 * a context is read once, and what a context says it has in common with others is read once for all of those. A rating
 * depends on its own context and continuation alone: the shapes of its computation follow from them.
 */
export async function* rateChoices({
  model,
  choices,
  batchSize,
  signal,
}: ChoiceRating): AsyncGenerator<RatedChoices> {
  const unfinished = new Map(choices.map((one) => [one.id, new Map<number, ContinuationRating>()]));
  const sizes = new Map(choices.map(({ id, continuations }) => [id, continuations.length]));
  const planned = planRows(choices, { ...model.config, isLengthBound: isLengthBound(model.config) });
  for (const { prefix, rows } of samePrefixes(planned)) {
    const cached = prefix.length === 0 ? undefined : await readPrefix(model, prefix);
    try {
      for (const [length, group] of groupByLength(rows, lengthOf))
        for (let start = 0; start < group.length; start += batchSize) {
          await setImmediate(); // lets an abort arrive
          signal.throwIfAborted();
          const some = group.slice(start, start + batchSize);
          const ratings = await rateBatch({
            model,
            planned: some,
            prefix: cached,
            batch: batchSize,
            length,
          });
          yield* finished({ planned: some, ratings, unfinished, sizes });
        }
    } finally {
      for (const { key, value } of cached ?? []) tf.dispose([key, value]);
    }
  }
}

const lengthOf = ({ row }: PlannedRow): number =>
  lengthBucket(row.ids.length, { step: rowStep, limit: Number.MAX_SAFE_INTEGER });

interface RatingBatch {
  readonly model: LanguageModel;
  readonly planned: readonly PlannedRow[];
  readonly prefix: CachedPrefix | undefined;
  readonly batch: number;
  readonly length: number;
}

/** For each row the ratings of its continuations. */
async function rateBatch(rating: RatingBatch): Promise<(readonly ContinuationRating[])[]> {
  const { model, planned, length } = rating;
  const hidden = tf.tidy(() => hiddenOf(rating));
  const rated = planned.flatMap(({ row }, index) =>
    row.rated.flat().map(({ target, place }) => ({ target, place: index * length + place })),
  );
  const ratings = (await rateTokens({ model, hidden, rated, rows: headRows })).values();
  hidden.dispose();
  return planned.map(({ id, row }) =>
    row.rated.map((tokens) => {
      const own = tokens.map(() => ratings.next().value ?? { logLikelihood: Number.NaN, isGreedy: false });
      const logLikelihood = own.reduce((sum, one) => sum + one.logLikelihood, 0);
      if (!Number.isFinite(logLikelihood)) throw notFinite(id);
      return { logLikelihood, tokens: own.length, isGreedy: own.every(({ isGreedy }) => isGreedy) };
    }),
  );
}

/** [B T, C] */
function hiddenOf({ model, planned, prefix, batch, length }: RatingBatch): tf.Tensor {
  const joined = (valuesOf: (row: BranchedRow) => Int32Array) => {
    const values = new Int32Array(batch * length);
    for (const [index, { row }] of planned.entries()) values.set(valuesOf(row), index * length);
    return values;
  };
  const window = model.config.slidingWindow ?? Number.POSITIVE_INFINITY;
  const mask = new Float32Array(batch * length * length);
  for (let index = 0; index < batch; index++)
    mask.set(branchedMask(planned[index]?.row ?? noRow, { length, window }), index * length * length);
  const attend = attendBranches(model.config, {
    batch,
    length,
    mask: tf.tensor(mask, [batch, 1, 1, length, length]),
    prefix,
  });
  return model.hidden({
    ids: tf.tensor1d(
      joined(({ ids }) => ids),
      'int32',
    ),
    positions: joined(({ positions }) => positions),
    // Only models for which each row holds one text look at this.
    textLengths: joined(({ ids, positions }) => ids.map(() => (positions.at(-1) ?? 0) + 1)),
    attend,
  });
}

const noRow = { branches: new Int32Array(), positions: new Int32Array() };

interface Finishing {
  readonly planned: readonly PlannedRow[];
  readonly ratings: readonly (readonly ContinuationRating[])[];
  readonly unfinished: Map<string, Map<number, ContinuationRating>>;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Notes what was rated, and gives those contexts of which nothing is missing any more. */
function* finished({ planned, ratings, unfinished, sizes }: Finishing): Generator<RatedChoices> {
  for (const [index, { id, from }] of planned.entries()) {
    const known = unfinished.get(id) ?? new Map<number, ContinuationRating>();
    for (const [offset, rating] of (ratings[index] ?? []).entries()) known.set(from + offset, rating);
    if (known.size !== sizes.get(id)) continue;
    unfinished.delete(id);
    yield { id, ratings: [...known].sort(([a], [b]) => a - b).map(([, rating]) => rating) };
  }
}

/** One pass over a text: the keys and values of every layer, owned by the caller. */
async function readPrefix(model: LanguageModel, tokens: Int32Array): Promise<CachedPrefix> {
  const kept: { key: tf.Tensor; value: tf.Tensor }[] = [];
  tf.tidy(() => {
    const rows = paddedRows(model.config, { ids: tokens, batch: 1, length: tokens.length });
    model.hidden({
      ...rows,
      attend: (projected) => {
        // What the projections are a part of goes with the pass, so that they are kept by themselves.
        kept.push({ key: tf.keep(tf.clone(projected.key)), value: tf.keep(tf.clone(projected.value)) });
        return rows.attend(projected);
      },
    });
  });
  // Read at once: else it would be computed together with what first uses it, and perhaps to other last digits.
  await Promise.all(kept.flatMap(({ key, value }) => [key.data(), value.data()]));
  return kept;
}
