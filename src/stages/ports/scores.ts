import type { Json } from '../../json.ts';

/** The content of a `scores` port. */
export interface Scores {
  readonly metrics: readonly Score[];
  /** Per-record values, in the order of the responses, for whoever wants to look. */
  readonly records?: readonly { readonly id: string; readonly values: Readonly<Record<string, Json>> }[];
}

export interface Score {
  readonly metric: string;
  /** What it is of, where a metric has several figures: a subject, a judge. */
  readonly of?: string;
  readonly value: number;
  readonly higher_is_better: boolean;
  /** How many records the value is a mean over. */
  readonly count: number;
  readonly standard_error?: number;
  /** A bootstrap interval that holds 95 % of the rounds. */
  readonly interval?: { readonly low: number; readonly high: number };
  /** What a reader of the figure has to know. */
  readonly remark?: string;
  /** Records that the metric could not use, with the reason, such as judge answers without a number. */
  readonly left_out?: { readonly count: number; readonly reason: string; readonly ids: readonly string[] };
}
