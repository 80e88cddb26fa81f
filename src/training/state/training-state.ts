import type { TrainConfig } from '../../generated/train-config.ts';
import type { LanguageModel } from '../../model/index.ts';
import type { HistoryEntry } from '../history.ts';
import { initialLossScale, type LossScale, lossScaleAfter } from '../loss-scale.ts';
import { Optimizer } from '../optimizer/optimizer.ts';
import { rewriteValues } from '../optimizer/trained-parameter.ts';

/** The state of a training: everything needed to resume from here exactly. */
export class TrainingState implements Disposable {
  readonly model: LanguageModel;
  readonly optimizer: Optimizer;
  #step = 0;
  #skipped = 0;
  #lossScale = initialLossScale;
  readonly #history: HistoryEntry[] = [];
  #bestWeights: ReadonlyMap<string, Float32Array> | undefined;

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

  /** A copy of the best weights; undefined if none was kept. */
  get bestWeights(): ReadonlyMap<string, Float32Array> | undefined {
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

  keepAsBest(): void {
    this.#bestWeights = new Map(
      [...this.model.trainable].map(([name, variable]) => [name, variable.dataSync<'float32'>().slice()]),
    );
  }

  /** Restores the state of a training that was interrupted. */
  restore(saved: SavedState): void {
    this.#history.push(...saved.history);
    this.#step = saved.step;
    this.#skipped = saved.history.filter(isSkipped).length;
    this.#lossScale = saved.history.reduce(lossScaleAfter, initialLossScale);
    this.#bestWeights = saved.bestWeights;
    setWeights(this.model, saved.weights);
    for (const name of this.model.trainable.keys())
      for (const state of this.optimizer.stateOf(name))
        state.restore(valuesOf(saved.optimizerState, `${state.name}/${name}`));
  }

  returnToBest(): void {
    if (this.#bestWeights !== undefined) setWeights(this.model, this.#bestWeights);
  }

  [Symbol.dispose](): void {
    this.optimizer[Symbol.dispose]();
  }
}

const isSkipped = (entry: HistoryEntry) =>
  entry.type === 'step' && (entry.spike === true || entry.overflow === true);

type Values = ReadonlyMap<string, Float32Array>;

/** The content of a saved state. Weights are keyed by the names of what is trained. */
export interface SavedState {
  readonly step: number;
  readonly history: readonly HistoryEntry[];
  readonly weights: Values;
  /** By the name of the state's tensor and that of the parameter: `first_moment/lm_head.weight`. */
  readonly optimizerState: Values;
  readonly bestWeights: Values | undefined;
}

function setWeights(model: LanguageModel, weights: Values): void {
  for (const [name, variable] of model.trainable)
    rewriteValues(variable, (values) => values.set(valuesOf(weights, name)));
}

function valuesOf(all: Values, name: string): Float32Array {
  const values = all.get(name);
  if (values === undefined) throw new Error(`the saved training state lacks ${name}`);
  return values;
}
