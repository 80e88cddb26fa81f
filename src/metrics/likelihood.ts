import type { MeanMetric, Metrics } from './metric.ts';

const ofResponse = {
  better: 'lower',
  reads: 'score',
  scoreOne: ({ response: { log_likelihood: logLikelihood = 0, scored_tokens: tokens = 0 } }) =>
    tokens > 0 ? { value: -logLikelihood / tokens, weight: tokens } : undefined,
  leftOutReason: () => 'it has no token to score',
} satisfies Partial<MeanMetric>;

/** The negative log-likelihood of each of a text's units. */
const perUnit = (unit: 'words' | 'bytes', scale = 1) =>
  ({
    better: 'lower',
    reads: 'rolling',
    source: 'lm-evaluation-harness',
    scoreOne: ({ response: { log_likelihood: logLikelihood = 0, [unit]: count = 0 } }) =>
      count > 0 ? { value: (-logLikelihood / count) * scale, weight: count } : undefined,
  }) satisfies Partial<MeanMetric>;

/** Metrics of the likelihood of given texts. */
export const likelihoodMetrics = {
  loss: {
    ...ofResponse,
    measures: 'The mean negative log-likelihood (natural logarithm) of a token of the expected responses.',
    source: 'the cross-entropy of training',
  },
  perplexity: {
    ...ofResponse,
    measures: 'e to the power of `loss`.',
    source: 'lm-evaluation-harness',
    transform: 'exp',
  },
  word_perplexity: {
    ...perUnit('words'),
    measures: 'e to the power of the mean negative log-likelihood of a word, over whole texts.',
    transform: 'exp',
  },
  byte_perplexity: {
    ...perUnit('bytes'),
    measures: 'e to the power of the mean negative log-likelihood of a byte, over whole texts.',
    transform: 'exp',
  },
  bits_per_byte: {
    ...perUnit('bytes', 1 / Math.LN2),
    measures: 'The binary logarithm of `byte_perplexity`.',
  },
} satisfies Metrics;
