import type * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import type { LanguageModel } from '../../model/index.ts';
import type { HistoryEntry } from '../history.ts';
import { initialLossScale, type LossScale, lossScaleAfter } from '../loss-scale.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { rewriteValues } from '../optimizer/trained-parameter.ts';
import { type KeptWeights, keepWeights } from './kept-weights.ts';

/** The state of a training: everything needed to resume from here exactly. */
export class TrainingState implements AsyncDisposable {
  readonly model: LanguageModel;
  readonly optimizer: Optimizer;
  #step = 0;
  #skipped = 0;
  #lossScale = initialLossScale;
  readonly #history: HistoryEntry[] = [];
  #bestWeights: KeptWeights | undefined;

  /** `factorOf` gives the factor by which a parameter's learning rate differs from the others'. */
  constructor(
    model: LanguageModel,
    optimizer: TrainConfig['optimizer'],
    factorOf?: (parameter: string) => number,
  ) {
    this.model = model;
    this.optimizer = new Optimizer(optimizer, model.trainable, factorOf);
  }

  /** How many steps have been taken. */
  get step(): number {
    return this.#step;
  }

  /** How many of them changed no weight, because their loss was a spike or their gradients overflowed. */
  get skipped(): number {
    return this.#skipped;
  }

  /** The scale of the next step's loss, where losses are scaled. */
  get lossScale(): LossScale {
    return this.#lossScale;
  }

  get history(): readonly HistoryEntry[] {
    return this.#history;
  }

  /** The best weights so far; undefined if none were kept. */
  get bestWeights(): KeptWeights | undefined {
    return this.#bestWeights;
  }

  /** Unpadded input tokens trained on so far. */
  get tokens(): number {
    return this.#history.findLast((entry) => entry.type === 'step')?.tokens ?? 0;
  }

  record(entry: HistoryEntry): void {
    this.#history.push(entry);
    this.#step = entry.step;
    if (isSkipped(entry)) this.#skipped += 1;
    this.#lossScale = lossScaleAfter(this.#lossScale, entry);
  }

  /** Keeps the weights of this moment, in a file of this folder. */
  async keepAsBest(folder: string): Promise<void> {
    const read = (_name: string, variable: tf.Variable) => variable.data<'float32'>();
    await this.#replaceBest(await keepWeights(folder, { trainable: this.model.trainable, read }));
  }

  /** Restores the state of a training that was interrupted. Its best weights are kept in a file of the folder. */
  async restore(saved: SavedState, folder: string): Promise<void> {
    this.#history.push(...saved.history);
    this.#step = saved.step;
    this.#skipped = saved.history.filter(isSkipped).length;
    this.#lossScale = saved.history.reduce(lossScaleAfter, initialLossScale);
    const { trainable } = this.model;
    await setWeights(this.model, saved.readWeight);
    for (const name of trainable.keys())
      for (const state of this.optimizer.stateOf(name))
        state.restore(await saved.readOptimizerState(state.name, name));
    const { readBestWeight: read } = saved;
    if (read !== undefined) await this.#replaceBest(await keepWeights(folder, { trainable, read }));
  }

  async returnToBest(): Promise<void> {
    if (this.#bestWeights !== undefined) await setWeights(this.model, this.#bestWeights.read);
  }

  async #replaceBest(kept: KeptWeights | undefined): Promise<void> {
    const before = this.#bestWeights;
    this.#bestWeights = kept;
    await before?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.optimizer[Symbol.dispose]();
    await this.#replaceBest(undefined);
  }
}

const isSkipped = (entry: HistoryEntry) =>
  entry.type === 'step' && (entry.spike === true || entry.overflow === true);

type Read = (name: string) => Promise<Float32Array>;

/** A saved state, whose tensors are read one at a time. Weights have the names of what is trained. */
export interface SavedState extends AsyncDisposable {
  readonly step: number;
  readonly history: readonly HistoryEntry[];
  readonly readWeight: Read;
  /** By the name of the state's tensor and that of the parameter: `first_moment`, `lm_head.weight`. */
  readonly readOptimizerState: (state: string, name: string) => Promise<Float32Array>;
  /** Undefined if no best weights were kept. */
  readonly readBestWeight: Read | undefined;
}

async function setWeights({ trainable }: LanguageModel, read: Read): Promise<void> {
  for (const [name, variable] of trainable) {
    const saved = await read(name);
    rewriteValues(variable, (values) => values.set(saved));
  }
}
