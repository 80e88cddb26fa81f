import * as tf from '@tensorflow/tfjs-core';
import { cachedAttention } from '../../tensor/index.ts';
import type { Projected } from '../forward-pass.ts';
import type { LanguageModel, Tokens } from '../language-model.ts';
import { paddedRows } from '../padded-rows.ts';
import type { CachePlace, KeyValueCache } from './key-value-cache.ts';

export interface PromptToRead {
  readonly model: LanguageModel;
  readonly cache: KeyValueCache;
  readonly prompt: Int32Array;
  /** The prompt is padded to this length, T. */
  readonly length: number;
  /** The row of the cache that takes its keys and values. */
  readonly place: number;
}

/** One pass over a prompt: fills a row of the cache and returns the logits after its last token, [V]. */
export function readPrompt({ model, cache, prompt, length, place }: PromptToRead): Promise<Float32Array> {
  const ids = new Int32Array(length);
  ids.set(prompt);
  const pass = (): PassInput => {
    const rows = paddedRows(model.config, {
      ids,
      batch: 1,
      length,
      lengths: Int32Array.of(prompt.length),
    });
    const attend = (projected: Projected) => ({ attended: rows.attend(projected), isStored: false });
    return { ...rows, attend, wanted: Int32Array.of(prompt.length - 1) };
  };
  return readPass({ model, cache, pass, places: [{ row: place, slot: 0 }] });
}

export interface TokensToRead {
  readonly model: LanguageModel;
  readonly cache: KeyValueCache;
  /** One for each row, B. */
  readonly tokens: Int32Array;
  /** The tokens' places in their texts, B. */
  readonly positions: Int32Array;
}

/** One pass over one new token a row: adds them to the cache and returns the logits after them, [B V]. */
export function readTokens({ model, cache, tokens, positions }: TokensToRead): Promise<Float32Array> {
  const pass = (): PassInput => {
    const lengths = tf.tensor1d(positions, 'int32');
    const attend = ({ layer, ...projected }: Projected) =>
      cachedAttention({
        ...projected,
        ...cache.tensors(layer),
        lengths,
        window: model.config.slidingWindow,
      });
    const textLengths = positions.map((position) => position + 1);
    return { ids: tf.tensor1d(tokens, 'int32'), positions, textLengths, attend };
  };
  return readPass({ model, cache, pass, places: Array.from(positions, (slot, row) => ({ row, slot })) });
}

/** A pass's tokens, and attention among them that may store keys and values by itself. */
interface PassInput extends Omit<Tokens, 'attend'> {
  readonly attend: (projected: Projected) => { readonly attended: tf.Tensor; readonly isStored: boolean };
  /** Those whose logits are wanted; all where absent. */
  readonly wanted?: Int32Array;
}

interface Pass {
  readonly model: LanguageModel;
  readonly cache: KeyValueCache;
  readonly pass: () => PassInput;
  /** Where the keys and values of each row go. */
  readonly places: readonly CachePlace[];
}

/** Runs a pass, keeps the keys and values of every layer, and returns the logits. */
async function readPass({ model, cache, pass, places }: Pass): Promise<Float32Array> {
  const layers: number[] = []; // whose keys and values are still to be stored
  const fresh: tf.Tensor[] = [];
  const outputs = tf.tidy(() => {
    const { wanted, ...tokens } = pass();
    const attend = (projected: Projected) => {
      const { attended, isStored } = tokens.attend(projected);
      if (!isStored) {
        layers.push(projected.layer);
        fresh.push(projected.key, projected.value);
      }
      return attended;
    };
    const hidden = model.hidden({ ...tokens, attend });
    const chosen = wanted === undefined ? hidden : tf.gather(hidden, tf.tensor1d(wanted, 'int32'));
    return [model.logits(chosen), ...fresh];
  });
  const [logits = new Float32Array(), ...keysAndValues] = await Promise.all(
    outputs.map((tensor) => tensor.data<'float32'>()),
  );
  tf.dispose(outputs);
  for (const [index, layer] of layers.entries()) {
    const [keys, values] = keysAndValues.slice(2 * index, 2 * index + 2);
    if (keys && values) cache.store(layer, { keys, values, places });
  }
  return logits;
}
