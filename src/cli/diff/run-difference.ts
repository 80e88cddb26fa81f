import type { Json } from '../../core/index.ts';
import type { RunRecord } from '../../runtime/index.ts';

/** How two runs differ, for people and programs. */
export interface RunDifference {
  readonly before: ComparedRun;
  readonly after: ComparedRun;
  readonly params: readonly FieldChange[];
  /** In the order of the later run, then what only the earlier one has. */
  readonly stages: readonly StageDifference[];
  readonly metrics: readonly MetricChange[];
  readonly answers: readonly AnswerChanges[];
}

export interface ComparedRun {
  readonly run: string;
  readonly pipeline: string;
  readonly started_at: string;
  readonly outcome: RunRecord['outcome'];
}

export interface FieldChange {
  /** A param's name, or a field as the YAML spells it: `with.optimizer.learning_rate`, `from.train`. */
  readonly field: string;
  readonly before?: Json;
  readonly after?: Json;
}

export interface StageDifference {
  readonly stage: string;
  /** `unknown`: one of the runs did not come to it, or its record is gone. */
  readonly change: 'same' | 'changed' | 'added' | 'removed' | 'unknown';
  readonly fields: readonly FieldChange[];
  /** Whether the results are other ones; undefined where one of the runs has none. */
  readonly other_results?: boolean;
}

export interface MetricChange {
  readonly stage: string;
  readonly metric: string;
  readonly of?: string;
  readonly before?: number;
  readonly after?: number;
  readonly delta?: number;
  /** Whether the change is for the better; absent where there is none. */
  readonly better?: boolean;
}

export interface AnswerChanges {
  readonly stage: string;
  /** Records that both runs answered. */
  readonly compared: number;
  readonly changed: number;
  /** Those that got worse first, then as they stand in the records. */
  readonly examples: readonly AnswerChange[];
}

export interface AnswerChange {
  readonly id: string;
  readonly question: string;
  readonly expected: string;
  readonly before: string;
  readonly after: string;
  /** The record's own scores, where a stage rates these answers: their sum, the better the higher. */
  readonly score_before?: number;
  readonly score_after?: number;
}

export interface RunPair {
  readonly before: RunRecord;
  readonly after: RunRecord;
}

/** Every stage of the two runs: in the later one's order, then what only the earlier one has. */
export const stagesOf = ({ before, after }: RunPair): readonly string[] => [
  ...new Set([...Object.keys(after.stages), ...Object.keys(before.stages)]),
];
