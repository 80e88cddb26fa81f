import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  type DropoutFactors,
  type LanguageModel,
  type ModelConfig,
  packedRows,
  paddedRows,
  type Tokens,
} from '../model/index.ts';
import { crossEntropy, embeddingLookup } from '../tensor/index.ts';
import { type BatchPiece, type BatchPieces, ignoredTarget } from './batches/micro-batch.ts';
import type { HistoryEntry } from './history-entry.ts';

export interface BatchPass {
  readonly batch: BatchPiece;
  readonly dropout?: DropoutFactors | undefined;
}

/**
 * The mean cross-entropy over a batch's targets that count. The head, a large part of a model, is computed at these M of
 * the N places only. Call it where tensors are tidied.
 */
export function batchLoss(model: LanguageModel, { batch, dropout }: BatchPass): tf.Scalar {
  const { places, targets } = countedRows(batch.targets);
  const hidden = model.hidden(tokensOf(model.config, { batch, dropout })); // [N, C]
  const counted = embeddingLookup({ table: hidden, ids: tf.tensor1d(places, 'int32') }); // [M, C]
  const logits = model.logits(counted, { dropout }); // [M, V]
  return crossEntropy({ logits, targets: tf.tensor1d(targets, 'int32') }) as tf.Scalar; // a mean has no axes left
}

function tokensOf(config: ModelConfig, { batch, dropout }: BatchPass): Tokens {
  const { inputs: ids, rows, width: length } = batch;
  switch (batch.layout) {
    case 'padded':
      return paddedRows(config, { ids, batch: rows, length, lengths: batch.lengths, dropout });
    case 'packed':
      return packedRows(config, { ...batch, ids, batch: rows, length, dropout });
    default:
      return batch satisfies never;
  }
}

/** The mean of the batches' mean losses, each batch counting alike whatever its number of targets. */
export async function meanLoss(model: LanguageModel, batches: readonly BatchPieces[]): Promise<number> {
  let sum = 0;
  for (const batch of batches) sum += await lossOf(model, batch);
  return sum / batches.length;
}

/** The mean over a batch's targets. */
async function lossOf(model: LanguageModel, { pieces, targetCount }: BatchPieces): Promise<number> {
  let sum = 0;
  for (const piece of pieces) {
    const loss = tf.tidy(() => batchLoss(model, { batch: piece }));
    const [value = Number.NaN] = await loss.data();
    loss.dispose();
    sum += value * piece.targetCount;
  }
  return sum / targetCount;
}

interface CountedRows {
  /** Places of the targets that count; filled up with place 0. */
  readonly places: Int32Array;
  /** The targets there; -100 for the filling. */
  readonly targets: Int32Array;
}

/** Their number is rounded up to so many parts of all targets, because every other number is another shape to compile. */
const parts = 8;

/** The targets that count among all, for computing the vocabulary's logits there alone. */
export function countedRows(all: Int32Array): CountedRows {
  const counted = Array.from(all.keys()).filter((place) => all[place] !== ignoredTarget);
  const part = Math.ceil(all.length / parts);
  const length = Math.min(all.length, part * Math.ceil(counted.length / part));
  const places = new Int32Array(length);
  const targets = new Int32Array(length).fill(ignoredTarget);
  for (const [row, place] of counted.entries()) {
    places[row] = place;
    targets[row] = all[place] ?? ignoredTarget;
  }
  return { places, targets };
}

type SpikePolicy = NonNullable<TrainConfig['on_spike']>;

/**
 * Whether a step's loss is a spike: above so many times the median of the last `window` steps' losses. Spikes count in it
 * too, so that a loss that stays high is no spike for long; before there are so many steps, nothing is one.
 */
export function isSpike(
  loss: number,
  { history, policy }: { readonly history: readonly HistoryEntry[]; readonly policy: SpikePolicy },
): boolean {
  const recent = lastLosses(history, policy.window);
  return recent.length === policy.window && loss > policy.above * medianOf(recent);
}

function lastLosses(history: readonly HistoryEntry[], most: number): readonly number[] {
  const losses: number[] = [];
  for (let place = history.length - 1; place >= 0 && losses.length < most; place--) {
    const entry = history[place];
    if (entry?.type === 'step') losses.push(entry.loss);
  }
  return losses;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return ((sorted[low] ?? 0) + (sorted[high] ?? 0)) / 2;
}
