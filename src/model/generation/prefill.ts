import * as tf from '@tensorflow/tfjs-core';
import { causalAttention } from '../../tensor/index.ts';
import { groupQueries, HIDDEN_SCORE, paddedRows, splitHeads, ungroupQueries } from '../attend-rows.ts';
import type { ModelSizes } from '../family.ts';
import type { Attend, Projected } from '../forward-pass.ts';
import type { LanguageModel, Tokens } from '../language-model.ts';
import type { KeyValueCache } from './key-value-cache.ts';

interface PromptsToRead {
  readonly model: LanguageModel;
  /** At most B, of at most T tokens each. */
  readonly prompts: readonly Int32Array[];
  /** Rows of the pass, B: those without a prompt are computed and thrown away. */
  readonly batch: number;
  /** Prompts are padded to this length, T. */
  readonly length: number;
}

/** What a model knows of a prompt after reading it. */
export interface ReadPrompt {
  /** After its last token, [V]. */
  readonly logits: Float32Array;
  /** Of its own tokens, [N, K D] for each layer. */
  readonly layers: readonly LayerKeyValues[];
}

/** One pass over prompts, each a row that knows nothing of the others. */
export async function readPrompts({
  model,
  prompts,
  batch,
  length,
}: PromptsToRead): Promise<readonly ReadPrompt[]> {
  const ids = new Int32Array(batch * length);
  for (const [row, prompt] of prompts.entries()) ids.set(prompt, row * length);
  const lengths = Int32Array.from({ length: batch }, (_, row) => prompts[row]?.length ?? 1);
  const pass = (): PassInput => {
    const rows = paddedRows(model.config, { ids, batch, length, lengths });
    const attend = (projected: Projected) => ({ attended: rows.attend(projected), isStored: false });
    return { ...rows, attend, wanted: lengths.map((tokens, row) => row * length + tokens - 1) };
  };
  const { logits, fresh } = await readPass(model, pass);
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

/** Some of an array's `of` rows, in place. */
function rowsOf(
  array: Float32Array,
  { from, to, of }: { readonly from: number; readonly to: number; readonly of: number },
): Float32Array {
  const width = array.length / of;
  return array.subarray(from * width, to * width);
}

interface ContinuationToRead {
  readonly model: LanguageModel;
  /** Of one row, whose first `from` slots are filled. */
  readonly cache: KeyValueCache;
  /** What comes after; at least one token. */
  readonly tokens: Int32Array;
  readonly from: number;
  /** The tokens are padded to this number, T. */
  readonly length: number;
}

/** One pass over several tokens that go on from a cached text: adds them to the cache and returns the logits after the last, [V]. */
export async function readContinuation(reading: ContinuationToRead): Promise<Float32Array> {
  const { model, cache, tokens, from, length } = reading;
  const { contextLength } = model.config;
  const ids = new Int32Array(length);
  ids.set(tokens);
  const pass = (): PassInput => {
    const attend = attendContinuation(model.config, reading);
    return {
      ids: tf.tensor1d(ids, 'int32'),
      // Padding has no place of its own where the context ends before it.
      positions: Int32Array.from(ids, (_, index) => Math.min(from + index, contextLength - 1)),
      textLengths: new Int32Array(length).fill(from + tokens.length),
      attend: (projected) => ({ attended: attend(projected), isStored: false }),
      wanted: Int32Array.of(tokens.length - 1),
    };
  };
  const { logits, fresh } = await readPass(model, pass);
  const ofTokens = (rows: Float32Array) => rows.subarray(0, (rows.length / length) * tokens.length);
  for (const { layer, keys, values } of fresh)
    cache.store(layer, {
      keys: ofTokens(keys),
      values: ofTokens(values),
      places: [{ row: 0, slot: from }],
    });
  return logits;
}

/** Attention of T tokens to those in the cache and to each other. Call it inside tf.tidy. */
function attendContinuation(sizes: ModelSizes, { cache, from, length }: ContinuationToRead): Attend {
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch: 1, length, heads: sizes.keyValueHeads };
  const mask = continuationMask({ from, length, group, slots: cache.slots, window: sizes.slidingWindow });
  return ({ layer, query, key, value }) => {
    const { keys, values } = cache.tensors(layer);
    const attended = causalAttention({
      query: groupQueries(query, { ...shape, group }), // [1, K, G T, D]
      key: tf.concat([keys, splitHeads(key, shape)], 2), // [1, K, S + T, D]
      value: tf.concat([values, splitHeads(value, shape)], 2),
      mask,
    });
    return ungroupQueries(attended, { ...shape, group });
  };
}

interface MaskShape {
  readonly from: number;
  /** T */
  readonly length: number;
  /** G */
  readonly group: number;
  /** S */
  readonly slots: number;
  readonly window: number | undefined;
}

/** [G T, S + T], the same for each of G query heads: 0 where a token looks, HIDDEN_SCORE elsewhere. */
function continuationMask({ from, length, group, slots, window = from + length }: MaskShape): tf.Tensor {
  const columns = slots + length;
  const mask = new Float32Array(group * length * columns).fill(HIDDEN_SCORE);
  for (let row = 0; row < group * length; row++) {
    const token = row % length;
    const begin = row * columns;
    mask.fill(0, begin + Math.min(from, Math.max(0, from + token - window + 1)), begin + from);
    mask.fill(0, begin + slots + Math.max(0, token - window + 1), begin + slots + token + 1);
  }
  return tf.tensor2d(mask, [group * length, columns]);
}

/** A pass's tokens, and attention among them that may store keys and values by itself. */
export interface PassInput extends Omit<Tokens, 'attend'> {
  readonly attend: (projected: Projected) => { readonly attended: tf.Tensor; readonly isStored: boolean };
  /** Those whose logits are wanted; all where absent. */
  readonly wanted?: Int32Array;
}

interface PassResult {
  /** [M V], of the M tokens whose logits were wanted. */
  readonly logits: Float32Array;
  /** The keys and values of all N tokens, [N, K D] each, of the layers where attention did not store them. */
  readonly fresh: readonly LayerKeyValues[];
}

interface LayerKeyValues {
  readonly layer: number;
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Runs a pass over tokens; `pass` makes its tensors. */
export async function readPass(model: LanguageModel, pass: () => PassInput): Promise<PassResult> {
  const layers: number[] = [];
  const kept: tf.Tensor[] = [];
  const outputs = tf.tidy(() => {
    const { wanted, ...tokens } = pass();
    const attend = (projected: Projected) => {
      const { attended, isStored } = tokens.attend(projected);
      if (!isStored) {
        layers.push(projected.layer);
        kept.push(projected.key, projected.value);
      }
      return attended;
    };
    const hidden = model.hidden({ ...tokens, attend });
    const chosen = wanted === undefined ? hidden : tf.gather(hidden, tf.tensor1d(wanted, 'int32'));
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
