import type { TrainConfig } from '../generated/train-config.ts';
import type { LanguageModel } from '../model/index.ts';
import type { Tokenizer } from '../text/index.ts';
import type { Batches } from './batches/example.ts';
import type { Slicing } from './batches/micro-batch.ts';
import type { HistoryEntry } from './history-entry.ts';

/** Everything that a training needs, and whom it tells of its progress. */
export interface TrainingTask {
  /** Tuned in place. */
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly batches: Batches;
  readonly validation?: Batches | undefined;
  readonly config: TrainConfig;
  /** A folder of this training's own, where it keeps what it needs to go on after an interruption. */
  readonly statePath: string;
  /** A folder shared with trainings that differ in their epochs alone; undefined where nothing is to be shared. */
  readonly checkpointPath?: string | undefined;
  /** Names the engine that computes: a state is only taken up by the engine that left it. */
  readonly fingerprint: string;
  readonly signal: AbortSignal;
  /** Told every entry once and in order; after an interruption, those from before it first. */
  readonly onEntry: (entry: HistoryEntry) => Promise<void>;
  /** Told, in words for a person, what is worth reading while it goes on. */
  readonly onNote: (message: string) => void;
  readonly onProgress: (progress: TrainingProgress) => void;
  /** Milliseconds that only go up. */
  readonly clock: () => number;
}

export interface TrainingProgress {
  readonly step: number;
  readonly totalSteps: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly tokensPerSecond: number;
}

export interface TrainingSummary {
  /** All steps, those of earlier attempts too. */
  readonly steps: number;
  /** Real input tokens a second, in the steps that were taken now. */
  readonly tokensPerSecond: number;
}

/** How this task computes its batches. */
export const slicingOf = ({ batches, config, model }: TrainingTask): Slicing => ({
  endOfText: batches.endOfText,
  multipleOf: config.pad_to_multiple_of,
  maximumWidth: model.config.contextLength,
  pieceSize: config.micro_batch_size,
  paddingFree: config.padding_free,
  // Packed batches differ in their number of examples, and every other number is another shape to compile.
  rowsMultipleOf: batches.recipe.packedLength === undefined ? 1 : 8,
});
