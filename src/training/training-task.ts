import type { TrainConfig } from '../generated/train-config.ts';
import type { LanguageModel } from '../model/index.ts';
import type { Tokenizer } from '../text/index.ts';
import type { Batches } from './batches/batch-plan.ts';
import type { BatchLayout } from './batches/micro-batch.ts';
import type { HistoryEntry } from './history.ts';
import type { PreferenceFigures } from './preference/figures.ts';

/** Everything that a training needs, and where it reports its progress. */
export interface TrainingTask {
  /** Tuned in place. */
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly batches: Batches;
  /** The ids that end a sample, besides the tokenizer's end of text. */
  readonly endTokens: readonly number[];
  readonly validation?: Batches | undefined;
  /** Several validation sets by their names, in place of one. */
  readonly validationSets?: ReadonlyMap<string, Batches> | undefined;
  /** Set if the model's answers are scored too. */
  readonly answers?: AnswerScoring | undefined;
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
  /** What a preference objective measured in the last step. */
  readonly figures?: PreferenceFigures;
  /** Validation losses and scores of answers of the last evaluations, by their names in the history. */
  readonly evaluated: Readonly<Record<string, number>>;
  readonly learningRate?: number;
  /** Absent before the first step of this attempt. */
  readonly tokensPerSecond?: number;
  /** The items whose log-probabilities by the reference are being computed, before the first step. */
  readonly reference?: { readonly done: number; readonly total: number };
  /** The batches of an evaluation that is under way. */
  readonly evaluating?: Count;
  /** The prompts that the model is answering to have its answers scored. */
  readonly answering?: Count;
}

interface Count {
  readonly done: number;
  readonly total: number;
}

/** Lets a model answer prompts and scores its answers. */
export interface AnswerScoring {
  /** By their names, with the direction in which each gets better. */
  readonly metrics: ReadonlyMap<string, 'higher' | 'lower'>;
  /** Steps from one time to the next; undefined for the end of each epoch. */
  readonly every: number | undefined;
  readonly score: (
    model: LanguageModel,
    options: { readonly signal: AbortSignal; readonly onAnswer: (done: number, total: number) => void },
  ) => Promise<Pick<Extract<HistoryEntry, { type: 'generation' }>, 'rows' | 'tokens' | 'metrics'>>;
}

export interface TrainingSummary {
  /** All steps, including those of earlier attempts. */
  readonly steps: number;
  /** Unpadded input tokens per second, in the steps of this attempt. */
  readonly tokensPerSecond: number;
  /** What answering prompts took in this attempt; absent if it was not asked for. */
  readonly answering?: {
    readonly times: number;
    readonly answers: number;
    readonly tokens: number;
    readonly milliseconds: number;
  };
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
