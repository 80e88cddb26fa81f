import type { ResponseRecord } from '../../ports/response-record.ts';
import type { Metric, Rating } from './metric.ts';

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
