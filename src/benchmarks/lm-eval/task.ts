import type { Json, JsonObject } from '../../core/index.ts';
import type { FilterPipeline } from './filter-list.ts';
import type { OutputType, TaskMetric } from './metric-list.ts';

/** A task of lm-evaluation-harness, as far as it needs no Python. */
export interface Task {
  readonly name: string;
  readonly version: string | undefined;
  readonly outputType: OutputType;
  readonly dataset: Dataset;
  readonly splits: Splits;
  readonly prompt: PromptFields;
  /** The text before the shots and the question: a template, or the name of a field. */
  readonly description: string;
  readonly shots: ShotFields;
  readonly generation: GenerationFields;
  /** How many answers each question gets. */
  readonly repeats: number;
  readonly filters: readonly FilterPipeline[];
  readonly metrics: readonly TaskMetric[];
  readonly groups: readonly GroupMembership[];
}

export interface Dataset {
  readonly path: string;
  readonly name: string | undefined;
}

/** The names of a dataset's splits, by what they are for. */
export interface Splits {
  readonly training: string | undefined;
  readonly validation: string | undefined;
  readonly test: string | undefined;
}

/** How a document is written. A text is a template, or the name of a field. */
export interface PromptFields {
  readonly doc_to_text: string | number;
  readonly doc_to_target: string | number | readonly Json[];
  readonly doc_to_choice: string | readonly Json[] | undefined;
  readonly gen_prefix: string | undefined;
  readonly target_delimiter: string;
}

export interface ShotFields extends PromptFields {
  readonly count: number;
  readonly sampler: 'default' | 'first_n';
  /** The split that the shots come from, if the task names it. */
  readonly split: string | undefined;
  /** Shots that the task itself holds. */
  readonly samples: readonly JsonObject[] | undefined;
  readonly fewshot_delimiter: string;
}

export interface GenerationFields {
  readonly stop: readonly string[];
  readonly max_new_tokens: number;
  readonly temperature: number;
  readonly top_k?: number;
  readonly top_p?: number;
  readonly min_p?: number;
  readonly repetition_penalty?: number;
}

/** A group that a task is in. */
export interface GroupMembership {
  readonly group: string;
  /** How many tasks the group has. */
  readonly tasks: number;
  readonly metrics: readonly GroupMetric[];
}

export interface GroupMetric {
  readonly metric: string;
  /** The filters whose figures are combined; null for those that the tasks have. */
  readonly filters: readonly string[] | null;
  readonly weight_by_size: boolean;
}
