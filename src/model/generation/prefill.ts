import * as tf from '@tensorflow/tfjs-core';
import { causalAttention, MASKED_SCORE } from '../../tensor/index.ts';
import { groupQueries, paddedRows, splitHeads, ungroupQueries } from '../attend-rows.ts';
import type { ModelSizes } from '../family.ts';
import type { Attend, Projected } from '../forward-pass.ts';
import type { LanguageModel, Tokens } from '../language-model.ts';
import { masksByWindow } from '../windows.ts';
import type { KeyValueCache } from './key-value-cache.ts';

export interface PrefilledPrompt {
  /** After its last token, [V]. */
  readonly logits: Float32Array;
  /** Keys and values of its own tokens, [N, K D] for each layer. */
  readonly layers: readonly LayerKeyValues[];
}

/** One forward pass over prompts, each in its own row. */
export async function prefill({
  model,
  prompts,
  batch,
  length,
}: {
  readonly model: LanguageModel;
  /** At most B, of at most T tokens each. */
  readonly prompts: readonly Int32Array[];
  /** Rows of the pass, B: rows without a prompt are computed and discarded. */
  readonly batch: number;
  /** Prompts are padded to this length, T. */
  readonly length: number;
}): Promise<readonly PrefilledPrompt[]> {
  const ids = new Int32Array(batch * length);
  for (const [row, prompt] of prompts.entries()) ids.set(prompt, row * length);
  const lengths = Int32Array.from({ length: batch }, (_, row) => prompts[row]?.length ?? 1);
  const { logits, fresh } = await forward(model, (): ForwardInput => {
    const rows = paddedRows(model.config, { ids, batch, length, lengths });
    const attend = (projected: Projected) => ({ attended: rows.attend(projected), isStored: false });
    return { ...rows, attend, logitsAt: lengths.map((tokens, row) => row * length + tokens - 1) };
  });
  return prompts.map((prompt, row) => {
    const ownRows = { from: row * length, to: row * length + prompt.length, of: batch * length };
    const layers = fresh.map(({ layer, keys, values }) => ({
      layer,
      keys: rowsOf(keys, ownRows),
      values: rowsOf(values, ownRows),
    }));
    return { logits: rowsOf(logits, { from: row, to: row + 1, of: batch }), layers };
  });
}

/** A view of some of an array's `of` rows. */
function rowsOf(
  array: Float32Array,
  { from, to, of }: { readonly from: number; readonly to: number; readonly of: number },
): Float32Array {
  const size = array.length / of;
  return array.subarray(from * size, to * size);
}

interface Continuation {
  /** Of one row, whose first `from` slots are filled. */
  readonly cache: KeyValueCache;
  /** At least one token. */
  readonly tokens: Int32Array;
  readonly from: number;
  /** The tokens are padded to this length, T. */
  readonly length: number;
}

/** One forward pass over tokens that continue a cached text: adds them to the cache and returns the logits after the last, [V]. */
export async function prefillContinuation(
  model: LanguageModel,
  continuation: Continuation,
): Promise<Float32Array> {
  const { cache, tokens, from, length } = continuation;
  const { contextLength } = model.config;
  const ids = new Int32Array(length);
  ids.set(tokens);
  const { logits, fresh } = await forward(model, (): ForwardInput => {
    const attend = attendContinuation(model.config, continuation);
    return {
      ids: tf.tensor1d(ids, 'int32'),
      // Padding may reach beyond the end of the context, which has no positions there.
      positions: Int32Array.from(ids, (_, index) => Math.min(from + index, contextLength - 1)),
      textLengths: new Int32Array(length).fill(from + tokens.length),
      attend: (projected) => ({ attended: attend(projected), isStored: false }),
      logitsAt: Int32Array.of(tokens.length - 1),
    };
  });
  const ofTokens = (rows: Float32Array) => rows.subarray(0, (rows.length / length) * tokens.length);
  for (const { layer, keys, values } of fresh)
    cache.store(layer, {
      keys: ofTokens(keys),
      values: ofTokens(values),
      places: [{ row: 0, slot: from }],
    });
  return logits;
}

/** Attention of T tokens to the cache and to each other. Call it inside tf.tidy. */
function attendContinuation(sizes: ModelSizes, { cache, from, length }: Continuation): Attend {
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch: 1, length, heads: sizes.keyValueHeads };
  const maskOf = masksByWindow(sizes, (window) =>
    continuationMask({ from, length, group, slots: cache.slots, window }),
  );
  return ({ layer, query, key, value }) => {
    const { keys, values } = cache.tensors(layer);
    const attended = causalAttention({
      query: groupQueries(query, { ...shape, group }), // [1, K, G T, D]
      key: tf.concat([keys, splitHeads(key, shape)], 2), // [1, K, S + T, D]
      value: tf.concat([values, splitHeads(value, shape)], 2),
      mask: maskOf(layer),
      scoreCap: sizes.scoreCap,
    });
    return ungroupQueries(attended, { ...shape, group });
  };
}

/** [G T, S + T], the same for each of G query heads: 0 where a token attends, MASKED_SCORE elsewhere. */
function continuationMask({
  from,
  length,
  group,
  slots,
  window = from + length,
}: {
  readonly from: number;
  /** T */
  readonly length: number;
  /** G */
  readonly group: number;
  /** S */
  readonly slots: number;
  readonly window: number | undefined;
}): tf.Tensor {
  const columns = slots + length;
  const mask = new Float32Array(group * length * columns).fill(MASKED_SCORE);
  for (let row = 0; row < group * length; row++) {
    const token = row % length;
    const start = row * columns;
    mask.fill(0, start + Math.min(from, Math.max(0, from + token - window + 1)), start + from);
    mask.fill(0, start + slots + Math.max(0, token - window + 1), start + slots + token + 1);
  }
  return tf.tensor2d(mask, [group * length, columns]);
}

/** The input of a forward pass whose attention may store keys and values itself. */
export interface ForwardInput extends Omit<Tokens, 'attend'> {
  readonly attend: (projected: Projected) => { readonly attended: tf.Tensor; readonly isStored: boolean };
  /** The tokens whose logits are computed; all if absent. */
  readonly logitsAt?: Int32Array;
}

interface LayerKeyValues {
  readonly layer: number;
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Runs one forward pass and reads its results; `input` creates its tensors. */
export async function forward(
  model: LanguageModel,
  input: () => ForwardInput,
): Promise<{
  /** [M V], of the M tokens at `logitsAt`. */
  readonly logits: Float32Array;
  /** The keys and values of all N tokens, [N, K D] each, for the layers whose attention did not store them. */
  readonly fresh: readonly LayerKeyValues[];
}> {
  const layers: number[] = [];
  const kept: tf.Tensor[] = [];
  const outputs = tf.tidy(() => {
    const { logitsAt, ...tokens } = input();
    const attend = (projected: Projected) => {
      const { attended, isStored } = tokens.attend(projected);
      if (!isStored) {
        layers.push(projected.layer);
        kept.push(projected.key, projected.value);
      }
      return attended;
    };
    const hidden = model.hidden({ ...tokens, attend });
    const chosen = logitsAt === undefined ? hidden : tf.gather(hidden, tf.tensor1d(logitsAt, 'int32'));
    return [model.logits(chosen), ...kept];
  });
  const [logits = noValues, ...keysAndValues] = await Promise.all(
    outputs.map((tensor) => tensor.data<'float32'>()),
  );
  tf.dispose(outputs);
  const fresh = layers.map((layer, index) => {
    const [keys = noValues, values = noValues] = keysAndValues.slice(2 * index);
    return { layer, keys, values };
  });
  return { logits, fresh };
}

const noValues = new Float32Array();
