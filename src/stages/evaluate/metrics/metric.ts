import type { EvaluateConfig } from '../../../generated/evaluate-config.ts';
import type { ResponseRecord } from '../../ports/response-record.ts';

/** A response beside the answers that would be right: one, or several of which the best match counts. */
export interface RatedResponse {
  readonly response: ResponseRecord;
  readonly expected: readonly string[];
}

/** What a metric makes of one response. The score is the mean over all ratings, each counted by its weight. */
export interface Rating {
  readonly value: number;
  readonly weight: number;
}

export interface Metric {
  readonly higherIsBetter: boolean;
  /** The mode of generate whose responses it reads. */
  readonly reads: 'text' | 'score';
  /** Undefined where the response cannot be rated. */
  readonly rate: (rated: RatedResponse, config: EvaluateConfig) => Rating | undefined;
  /** Why `rate` may be unable to. */
  readonly leftOutReason?: string;
  /** `exp`: the score is e to the power of the mean. */
  readonly transform?: 'exp';
}

/** One record counts as much as any other. */
export const plainly = (value: number): Rating => ({ value, weight: 1 });
