import type { Json } from '../core/index.ts';
import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import type { ResponseRecord } from '../text/index.ts';
import type { Rating as PersonalRating } from './ratings.ts';
import type { Score } from './scores.ts';

/** A response beside the answers that would be right: one, or several of which the best match counts. */
export interface RatedResponse {
  readonly response: ResponseRecord;
  readonly expected: readonly string[];
  /** People's ratings of it, where they were given. */
  readonly ratings?: readonly PersonalRating[];
  /** What a second judge answered to the same question. */
  readonly secondJudge?: ResponseRecord;
}

/** What a metric makes of one response. The score is the mean over all ratings, each counted by its weight. */
export interface Rating {
  readonly value: number;
  readonly weight: number;
}

/** What a metric looks at: answers, ratings of the expected response, of candidates or of whole texts, how programs ended, verdicts written or chosen, or the row alone. */
export type ReadableField = 'text' | 'score' | 'choices' | 'rolling' | 'program' | 'verdict' | 'row';

export interface Metric {
  readonly higherIsBetter: boolean;
  readonly reads: ReadableField;
  /** Undefined where the response cannot be rated. */
  readonly rate: (rated: RatedResponse, config: EvaluateConfig) => Rating | undefined;
  /** Why `rate` may be unable to. */
  readonly leftOutReason?: (config: EvaluateConfig) => string;
  /** `exp`: the score is e to the power of the mean. */
  readonly transform?: 'exp';
}

/** One record counts as much as any other. */
export const plainly = (value: number): Rating => ({ value, weight: 1 });

/** A metric that is no mean over responses: what it says of one depends on others. */
export interface SetMetric {
  readonly reads: Metric['reads'];
  readonly score: (rated: readonly RatedResponse[], config: EvaluateConfig) => SetScores;
}

export interface SetScores {
  readonly metrics: readonly Score[];
  /** What a response got, by its id. */
  readonly values: ReadonlyMap<string, Json>;
}
