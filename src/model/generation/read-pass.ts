import * as tf from '@tensorflow/tfjs-core';
import type { Projected } from '../forward-pass.ts';
import type { LanguageModel, Tokens } from '../language-model.ts';

/** A pass's tokens, and attention among them that may store keys and values by itself. */
export interface PassInput extends Omit<Tokens, 'attend'> {
  readonly attend: (projected: Projected) => { readonly attended: tf.Tensor; readonly isStored: boolean };
  /** Those whose logits are wanted; all where absent. */
  readonly wanted?: Int32Array;
}

export interface PassResult {
  /** [M V], of the M tokens whose logits were wanted. */
  readonly logits: Float32Array;
  /** The keys and values of all N tokens, [N, K D] each, of the layers where attention did not store them. */
  readonly fresh: readonly LayerKeyValues[];
}

export interface LayerKeyValues {
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
