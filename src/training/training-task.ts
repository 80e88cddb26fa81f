import type { TrainConfig } from '../generated/train-config.ts';
import type { LanguageModel } from '../model/index.ts';
import type { Tokenizer } from '../text/index.ts';
import type { Batches } from './batches/example.ts';
import type { Slicing } from './batches/micro-batch.ts';

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

/** One line of a training's history. Holds no time or throughput: those belong to the run's record. */
export type HistoryEntry =
  | {
      readonly type: 'step';
      /** 1 is the first optimizer step; 0 is before training. */
      readonly step: number;
      readonly epoch: number;
      /** Mean cross-entropy over the step's targets. */
      readonly loss: number;
      readonly learning_rate: number;
      /** Euclidean norm over all gradients, before clipping. */
      readonly gradient_norm: number;
      /** Real (unpadded) input tokens since the start. */
      readonly tokens: number;
      /** The loss was a spike, and the step changed no weight. */
      readonly spike?: true;
    }
  | {
      readonly type: 'evaluation';
      readonly step: number;
      readonly epoch: number;
      readonly train_loss: number;
      readonly validation_loss?: number;
    }
  | {
      readonly type: 'sample';
      readonly step: number;
      readonly epoch: number;
      readonly prompt: string;
      readonly response: string;
    }
  | {
      readonly type: 'end';
      readonly step: number;
      readonly epoch: number;
      readonly best_step?: number;
      readonly reason: 'completed' | 'early_stop' | 'loss_spike';
    };
