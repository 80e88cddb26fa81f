export { kendall, pearson, spearman } from './agreement.ts';
export {
  accuracy,
  accuracyPerByte,
  accuracyPerCharacter,
  calibration,
  chosenIndex,
  chosenText,
  multipleChoiceGrade,
} from './choices.ts';
export { f1, type LabelPairs, macroF1, matthews } from './classification.ts';
export { grouped } from './grouped.ts';
export { humanRating, judgeAgreement, judgeScore } from './judge.ts';
export { bitsPerByte, bytePerplexity, loss, perplexity, wordPerplexity } from './likelihood.ts';
export {
  type Metric,
  plainly,
  type RatedResponse,
  type ReadableField,
  type SetMetric,
  type SetScores,
} from './metric.ts';
export { answerTokens, normalizeAnswer, tokenOverlapF1 } from './normalize-answer.ts';
export { preference } from './preference.ts';
export { answerKey, ratingsOf, readRatings } from './ratings.ts';
export { parseScores, type Score, type Scores } from './scores.ts';
export {
  bootstrapInterval,
  type Interval,
  percentileInterval,
  plainMean,
  type Resampling,
  resampledIndices,
  weightedMean,
} from './statistics.ts';
export {
  answerF1,
  exactMatch,
  finished,
  meaningfulAnswers,
  prefixMatch,
  quasiExactMatch,
  quasiPrefixMatch,
  setF1,
  tokenF1,
} from './text.ts';
