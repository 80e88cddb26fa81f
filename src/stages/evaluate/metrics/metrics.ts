import type { EvaluateConfig } from '../../../generated/evaluate-config.ts';
import { exactMatch } from './exact-match.ts';
import { finished } from './finished.ts';
import { judgeScore } from './judge-score.ts';
import { loss, perplexity } from './loss.ts';
import type { Metric } from './metric.ts';
import { tokenF1 } from './token-f1.ts';

export type MetricName = EvaluateConfig['metrics'][number];

/** Every metric by its name. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  exact_match: exactMatch,
  token_f1: tokenF1,
  judge_score: judgeScore,
  finished,
  loss,
  perplexity,
};
