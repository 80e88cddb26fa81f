import type { EvaluateConfig } from '../../../generated/evaluate-config.ts';
import type { Json } from '../../../json.ts';
import type { Score } from '../../ports/scores.ts';
import type { Metric, RatedResponse } from './metric.ts';

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
