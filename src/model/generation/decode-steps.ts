import * as tf from '@tensorflow/tfjs-core';
import { cachedAttention } from '../../tensor/index.ts';
import type { Projected } from '../forward-pass.ts';
import type { LanguageModel } from '../language-model.ts';
import { type ForwardInput, RepeatedForward } from './forward.ts';
import type { KeyValueCache } from './key-value-cache.ts';

/** Forward passes over a new token per row of a cache, each number of rows with its own arrays. */
export class DecodeSteps implements Disposable {
  readonly #model: LanguageModel;
  readonly #cache: KeyValueCache;
  readonly #steps = new Map<number, DecodeStep>();

  constructor(model: LanguageModel, cache: KeyValueCache) {
    this.#model = model;
    this.#cache = cache;
  }

  [Symbol.dispose](): void {
    for (const { pass } of this.#steps.values()) pass[Symbol.dispose]();
    this.#steps.clear();
  }

  /**
   * Adds a token to each of the cache's first rows, given its position in its text, and returns the logits after it,
   * [rows V]; the next step overwrites them.
   */
  async step({
    tokens,
    positions,
  }: {
    readonly tokens: readonly number[];
    readonly positions: readonly number[];
  }): Promise<Float32Array> {
    const step = this.#steps.get(tokens.length) ?? this.#newStep(tokens.length);
    step.ids.set(tokens);
    step.positions.set(positions);
    step.textLengths.set(positions.map((position) => position + 1));
    const { logits, fresh } = await step.pass.run();
    const places = positions.map((slot, row) => ({ row, slot, tokens: 1 }));
    for (const { layer, keys, values } of fresh) this.#cache.store(layer, { keys, values, places });
    return logits;
  }

  #newStep(rows: number): DecodeStep {
    const array = () => new Int32Array(rows);
    const arrays = { ids: array(), positions: array(), textLengths: array() };
    const pass = new RepeatedForward(this.#model, () => this.#input(arrays));
    const step = { ...arrays, pass };
    this.#steps.set(rows, step);
    return step;
  }

  #input({ ids, positions, textLengths }: StepArrays): ForwardInput {
    const lengths = tf.tensor1d(positions, 'int32');
    const { windows, scoreCap } = this.#model.config;
    const rows = ids.length;
    const attend = ({ layer, ...projected }: Projected) =>
      cachedAttention({
        ...{ ...projected, ...this.#cache.tensors(layer, rows), lengths },
        ...{ window: windows[layer], scoreCap },
      });
    return { batch: rows, length: 1, ids: tf.tensor1d(ids, 'int32'), positions, textLengths, attend };
  }
}

/** One number for each row; the pass reads them whenever it runs. */
interface StepArrays {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly textLengths: Int32Array;
}

interface DecodeStep extends StepArrays {
  readonly pass: RepeatedForward;
}
