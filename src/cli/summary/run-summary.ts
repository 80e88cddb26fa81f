import type { JsonObject } from '../../core/index.ts';
import type { Score } from '../../metrics/index.ts';

/** What a run came to, for people and programs. */
export interface RunSummary {
  readonly pipeline: string;
  readonly run: string;
  readonly outcome: 'succeeded' | 'failed' | 'interrupted';
  readonly milliseconds: number;
  readonly ran: readonly string[];
  readonly reused: readonly string[];
  readonly failed: readonly FailedStage[];
  readonly skipped: readonly string[];
  readonly losses: readonly StageLosses[];
  readonly scores: readonly StageScores[];
  readonly answers: readonly ComparedAnswer[];
  /** Of a sweep: each point's params and scores. */
  readonly points?: readonly PointScores[];
  readonly try_next: readonly string[];
}

export interface FailedStage {
  readonly stage: string;
  readonly message: string;
  readonly help?: string;
  readonly log?: string;
}

/** How the losses of one training went. */
export interface StageLosses {
  readonly stage: string;
  readonly train?: LossCourse;
  readonly validation?: LossCourse;
}

export interface LossCourse {
  readonly first: number;
  readonly last: number;
  readonly best: number;
  readonly best_step: number;
}

export interface StageScores {
  readonly stage: string;
  readonly metrics: readonly Score[];
}

export interface PointScores {
  readonly point: string;
  readonly params: JsonObject;
  /** Of the evaluations that are its own or shared with other points, by their ids in the pipeline. */
  readonly scores: readonly StageScores[];
}

/** One prompt, and what each stage that was asked answered. */
export interface ComparedAnswer {
  readonly question: string;
  readonly expected: string;
  readonly given: readonly { readonly stage: string; readonly response: string }[];
}
