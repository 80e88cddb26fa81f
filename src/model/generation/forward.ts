import * as tf from '@tensorflow/tfjs-core';
import { RecordedPass, withOpenSizes } from '../../tensor/index.ts';
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

export interface Forwarded {
  /** [M V], of the M tokens at `logitsAt`. */
  readonly logits: Float32Array;
  /** The keys and values of all tokens, [B, K, T, D] each, for the layers whose attention did not store them. */
  readonly fresh: readonly LayerKeyValues[];
}

/** Runs one forward pass and reads its results; `input` creates its tensors. The pass is compiled once for all sizes. */
export async function forward(model: LanguageModel, input: () => ForwardInput): Promise<Forwarded> {
  const layers: number[] = [];
  const tensors = tf.tidy(() => recordForward(model, input, layers));
  const arrays = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
  tf.dispose(tensors);
  return forwarded(arrays, layers);
}

/** A forward pass over arrays of which each run has other elements; what it returns is overwritten by the next one. */
export class RepeatedForward implements Disposable {
  readonly #layers: number[] = [];
  readonly #pass: RecordedPass;

  constructor(model: LanguageModel, input: () => ForwardInput) {
    this.#pass = new RecordedPass(() => {
      this.#layers.length = 0;
      return recordForward(model, input, this.#layers);
    });
  }

  [Symbol.dispose](): void {
    this.#pass[Symbol.dispose]();
  }

  async run(): Promise<Forwarded> {
    return forwarded(await this.#pass.run(), this.#layers);
  }
}

/** Logits, and then keys and values of the layers whose attention does not store them, which are added to `layers`. */
const recordForward = (model: LanguageModel, input: () => ForwardInput, layers: number[]): tf.Tensor[] =>
  withOpenSizes(() => {
    const { logitsAt, batch, length, ...tokens } = input();
    const rows = { batch, length, heads: model.config.keyValueHeads };
    const kept: tf.Tensor[] = [];
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
  });

function forwarded(
  [logits = noValues, ...keysAndValues]: readonly Float32Array[],
  layers: readonly number[],
): Forwarded {
  const fresh = layers.map((layer, index) => {
    const [keys = noValues, values = noValues] = keysAndValues.slice(2 * index);
    return { layer, keys, values };
  });
  return { logits, fresh };
}

const noValues = new Float32Array();
