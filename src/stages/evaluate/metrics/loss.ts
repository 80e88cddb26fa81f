import type { Metric, RatedResponse, Rating } from './metric.ts';

/** Mean negative log-likelihood of a token (natural logarithm), over all scored tokens of all records. */
export const loss: Metric = {
  higherIsBetter: false,
  reads: 'score',
  rate: tokenLoss,
  leftOutReason: () => 'it has no token to score',
};

/** e to the power of the loss. */
export const perplexity: Metric = { ...loss, transform: 'exp' };

function tokenLoss({ response }: RatedResponse): Rating | undefined {
  const { log_likelihood: logLikelihood = 0, scored_tokens: tokens = 0 } = response;
  return tokens > 0 ? { value: -logLikelihood / tokens, weight: tokens } : undefined;
}
