import type { EvaluateConfig } from '../../../generated/evaluate-config.ts';
import { alpacaEvalMetric } from './benchmarks/alpaca-eval.ts';
import { squadMetric, triviaQaMetric } from './benchmarks/answer-metrics.ts';
import { arenaMetric } from './benchmarks/arena.ts';
import { modelGradedMetric } from './benchmarks/model-graded.ts';
import { glueMetric, superGlueMetric } from './benchmarks/task-metrics.ts';
import { accuracy, accuracyPerByte, accuracyPerCharacter, multipleChoiceGrade } from './choices/accuracy.ts';
import { calibration } from './choices/calibration.ts';
import { exactMatch } from './exact-match.ts';
import { finished } from './finished.ts';
import { humanRating } from './human-rating.ts';
import { judgeAgreement } from './judge-agreement.ts';
import { judgeScore } from './judge-score.ts';
import { loss, perplexity } from './loss.ts';
import type { Metric } from './metric.ts';
import { passAtKMetric } from './pass-at-k.ts';
import { preference } from './preference.ts';
import { bitsPerByte, bytePerplexity, wordPerplexity } from './rolling.ts';
import type { SetMetric } from './set-metric.ts';
import { bbhMatch, bigBenchMatch, openaiEvalsMatch } from './task-matches.ts';
import { prefixMatch, quasiExactMatch, quasiPrefixMatch, setF1 } from './text-matches.ts';
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
  accuracy,
  accuracy_per_character: accuracyPerCharacter,
  accuracy_per_byte: accuracyPerByte,
  multiple_choice_grade: multipleChoiceGrade,
  word_perplexity: wordPerplexity,
  byte_perplexity: bytePerplexity,
  bits_per_byte: bitsPerByte,
  quasi_exact_match: quasiExactMatch,
  prefix_match: prefixMatch,
  quasi_prefix_match: quasiPrefixMatch,
  set_f1: setF1,
  bbh: bbhMatch,
  exact_str_match: bigBenchMatch,
  openai_evals: openaiEvalsMatch,
} as const satisfies Partial<Record<MetricName, Metric>>;

/** The others. */
export const setMetrics: Readonly<Record<Exclude<MetricName, keyof typeof metrics>, SetMetric>> = {
  preference,
  pass_at_k: passAtKMetric,
  human_rating: humanRating,
  judge_agreement: judgeAgreement,
  calibration,
  glue: glueMetric,
  superglue: superGlueMetric,
  squad: squadMetric,
  triviaqa: triviaQaMetric,
  model_graded: modelGradedMetric,
  alpaca_eval: alpacaEvalMetric,
  arena: arenaMetric,
};
