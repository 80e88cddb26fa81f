import type { TrainConfig } from '../generated/train-config.ts';
import type { LanguageModel } from '../model/index.ts';
import type { Tokenizer } from '../text/index.ts';
import type { Batches } from './batches/batch-plan.ts';
import type { BatchLayout } from './batches/micro-batch.ts';
import type { HistoryEntry } from './history.ts';

/** Everything that a training needs, and where it reports its progress. */
export interface TrainingTask {
  /** Tuned in place. */
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly batches: Batches;
  /** The ids that end a sample, besides the tokenizer's end of text. */
  readonly endTokens: readonly number[];
  readonly validation?: Batches | undefined;
  readonly config: TrainConfig;
  /** This training's private folder, for the state from which it resumes after an interruption. */
  readonly statePath: string;
  /** A folder shared with trainings that differ only in their number of epochs; undefined if nothing is shared. */
  readonly checkpointPath?: string | undefined;
  /** Names the engine that computes: an engine resumes only from its own state. */
  readonly fingerprint: string;
  readonly signal: AbortSignal;
  /** Called once for every entry, in order; a resumed training first repeats the entries from before. */
  readonly onEntry: (entry: HistoryEntry) => Promise<void>;
  /** Called with messages for a person to read during the training. */
  readonly onNote: (message: string) => void;
  readonly onProgress: (progress: TrainingProgress) => void;
  /** A monotonic clock, in milliseconds. */
  readonly clock: () => number;
}

export interface TrainingProgress {
  readonly step: number;
  readonly totalSteps: number;
  /** Of the last step; absent before the first. */
  readonly loss?: number;
  /** Of the last evaluation. */
  readonly validationLoss?: number;
  readonly learningRate?: number;
  /** Absent before the first step of this attempt. */
  readonly tokensPerSecond?: number;
  /** The items whose log-probabilities by the reference are being computed, before the first step. */
  readonly reference?: { readonly done: number; readonly total: number };
  /** The batches of an evaluation that is under way. */
  readonly evaluating?: { readonly done: number; readonly total: number };
}

export interface TrainingSummary {
  /** All steps, including those of earlier attempts. */
  readonly steps: number;
  /** Unpadded input tokens per second, in the steps of this attempt. */
  readonly tokensPerSecond: number;
}

/** How this task lays out its batches. */
export const batchLayout = ({ batches, config, model }: TrainingTask): BatchLayout => ({
  endOfText: batches.endOfText,
  multipleOf: config.pad_to_multiple_of,
  maxLength: model.config.contextLength,
  microBatchSize: config.micro_batch_size,
  paddingFree: config.padding_free,
  // Packed batches differ in their number of examples, and every number is another shape to compile.
  rowsMultipleOf: batches.recipe.packedLength === undefined ? 1 : 8,
});
