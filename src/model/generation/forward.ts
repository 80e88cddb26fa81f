import * as tf from '@tensorflow/tfjs-core';
import { withOpenSizes } from '../../tensor/index.ts';
import { splitHeads } from '../attend-rows.ts';
import type { Projected } from '../forward-pass.ts';
import type { LanguageModel, Tokens } from '../language-model.ts';

/** The input of a forward pass over B rows of T tokens, whose attention may store keys and values itself. */
export interface ForwardInput extends Omit<Tokens, 'attend'> {
  readonly batch: number;
  readonly length: number;
  readonly attend: (projected: Projected) => { readonly attended: tf.Tensor; readonly isStored: boolean };
  /** The tokens whose logits are computed; all if absent. */
  readonly logitsAt?: Int32Array;
}

export interface LayerKeyValues {
  readonly layer: number;
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

interface Forwarded {
  /** [M V], of the M tokens at `logitsAt`. */
  readonly logits: Float32Array;
  /** The keys and values of all tokens, [B, K, T, D] each, for the layers whose attention did not store them. */
  readonly fresh: readonly LayerKeyValues[];
  /** Those that hold these numbers; the caller disposes of them, or recycles them when it has used the numbers. */
  readonly tensors: tf.Tensor[];
}

/** Runs one forward pass and reads its results; `input` creates its tensors. The pass is compiled once for all sizes. */
export async function forward(model: LanguageModel, input: () => ForwardInput): Promise<Forwarded> {
  const layers: number[] = [];
  const record = () => {
    const kept: tf.Tensor[] = [];
    const { logitsAt, batch, length, ...tokens } = input();
    const rows = { batch, length, heads: model.config.keyValueHeads };
    const attend = (projected: Projected) => {
      const { attended, isStored } = tokens.attend(projected);
      if (!isStored) {
        layers.push(projected.layer);
        kept.push(splitHeads(projected.key, rows), splitHeads(projected.value, rows));
      }
      return attended;
    };
    const hidden = model.hidden({ ...tokens, attend });
    const chosen = logitsAt === undefined ? hidden : tf.gather(hidden, tf.tensor1d(logitsAt, 'int32'));
    return [model.logits(chosen), ...kept];
  };
  const tensors = withOpenSizes(() => tf.tidy(record));
  const [logits = noValues, ...keysAndValues] = await Promise.all(
    tensors.map((tensor) => tensor.data<'float32'>()),
  );
  const fresh = layers.map((layer, index) => {
    const [keys = noValues, values = noValues] = keysAndValues.slice(2 * index);
    return { layer, keys, values };
  });
  return { logits, fresh, tensors };
}

const noValues = new Float32Array();
