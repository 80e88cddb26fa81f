import type { ResponseRecord } from '../text/index.ts';
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

/** Minus the log-likelihood for each of a text's units. */
const perUnit =
  (unit: 'words' | 'bytes', scale = 1) =>
  ({ response }: { readonly response: ResponseRecord }): Rating | undefined => {
    const { log_likelihood: logLikelihood = 0, [unit]: count = 0 } = response;
    return count > 0 ? { value: (-logLikelihood / count) * scale, weight: count } : undefined;
  };

const common = { higherIsBetter: false, reads: 'rolling' } as const;

/** e to the power of minus the log-likelihood of a word, over all texts. */
export const wordPerplexity: Metric = { ...common, rate: perUnit('words'), transform: 'exp' };
/** The same of a byte. */
export const bytePerplexity: Metric = { ...common, rate: perUnit('bytes'), transform: 'exp' };
/** Its binary logarithm. */
export const bitsPerByte: Metric = { ...common, rate: perUnit('bytes', 1 / Math.LN2) };
