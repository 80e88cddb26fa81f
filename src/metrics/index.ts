export { kendall, pearson, spearman } from './agreement.ts';
export { chosenIndex, chosenText } from './choices.ts';
export { f1, type LabelPairs, macroF1, matthews } from './classification.ts';
export {
  type MeanMetric,
  type Metric,
  type MetricName,
  type Metrics,
  responseContents,
  type ScoredResponse,
  type SetScores,
} from './metric.ts';
export { answerMetrics, generalMetrics } from './metrics.ts';
export {
  answerTokens,
  articles,
  asciiPunctuation,
  normalizeAnswer,
  tokenOverlapF1,
} from './normalize-answer.ts';
export { bleuCounts, bleuOf } from './overlap/bleu.ts';
export { chrfCounts, chrfOf } from './overlap/chrf.ts';
export { pairVerdict } from './preference.ts';
export { answerKey, ratingsOf, readRatings } from './ratings.ts';
export { errorField, leftOutField, meanOf, parseScores, type Score, type Scores } from './scores.ts';
export {
  bootstrapInterval,
  grouped,
  type Interval,
  percentileInterval,
  plainMean,
  type Resampling,
  resampledIndices,
  unweighted,
  weightedMean,
} from './statistics.ts';
export { answerF1, meaningfulAnswers } from './text.ts';
