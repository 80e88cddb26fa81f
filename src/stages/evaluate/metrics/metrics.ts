import type { EvaluateConfig } from '../../../generated/evaluate-config.ts';
import { exactMatch } from './exact-match.ts';
import { finished } from './finished.ts';
import { humanRating } from './human-rating.ts';
import { judgeAgreement } from './judge-agreement.ts';
import { judgeScore } from './judge-score.ts';
import { loss, perplexity } from './loss.ts';
import type { Metric } from './metric.ts';
import { passAtKMetric } from './pass-at-k.ts';
import { preference } from './preference.ts';
import type { SetMetric } from './set-metric.ts';
import { tokenF1 } from './token-f1.ts';

export type MetricName = EvaluateConfig['metrics'][number];

/** The metrics that are means over responses. */
export const metrics = {
  exact_match: exactMatch,
  token_f1: tokenF1,
  judge_score: judgeScore,
  finished,
  loss,
  perplexity,
} as const satisfies Partial<Record<MetricName, Metric>>;

/** The others. */
export const setMetrics: Readonly<Record<Exclude<MetricName, keyof typeof metrics>, SetMetric>> = {
  preference,
  pass_at_k: passAtKMetric,
  human_rating: humanRating,
  judge_agreement: judgeAgreement,
};
