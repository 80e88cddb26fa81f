import { trimEnd } from '../../text/index.ts';
import { type BleuTokenizer, bleuTokenizers } from './bleu-tokenizers.ts';
import { type Counts, ngrams, sharedCount, sumPlaces, totalCount } from './ngrams.ts';

/** What BLEU counts in answers: per order the shared n-grams, then all n-grams, then the words of answers and references. */
export type BleuCounts = readonly number[];

export interface BleuOptions {
  readonly tokenize: BleuTokenizer;
  readonly lowercase: boolean;
}

const ORDERS = 4;

/**
 * Counts an answer's n-grams of one to four words, each shared at most as often as in the reference that has it most
 * often. Of several references the one whose length is closest gives the length, the shorter of two. `references` has at least one.
 */
export function bleuCounts(
  answer: string,
  references: readonly string[],
  { tokenize, lowercase }: BleuOptions,
): BleuCounts {
  const words = (text: string) => bleuTokenizers[tokenize](trimEnd(lowercase ? text.toLowerCase() : text));
  const answered = words(answer);
  const expected = references.map(words);
  const orders = Array.from({ length: ORDERS }, (_, index) => {
    const order = index + 1;
    const own = ngrams(answered, order, ' ');
    const most = expected.map((reference) => ngrams(reference, order, ' ')).reduce(mostOf);
    return { shared: sharedCount(own, most), total: totalCount(own) };
  });
  return [
    ...orders.map(({ shared }) => shared),
    ...orders.map(({ total }) => total),
    answered.length,
    closest(
      answered.length,
      expected.map(({ length }) => length),
    ),
  ];
}

/** How often each n-gram occurs in the text that has it more often. */
function mostOf(one: Counts, other: Counts): Counts {
  const most = new Map(one);
  for (const [ngram, count] of other) most.set(ngram, Math.max(count, most.get(ngram) ?? 0));
  return most;
}

const closest = (length: number, lengths: readonly number[]): number =>
  [...lengths].sort((a, b) => Math.abs(a - length) - Math.abs(b - length) || a - b)[0] ?? 0;

/**
 * BLEU in percent (Papineni et al. 2002) of the sums of answers' counts, as sacrebleu computes it with `smooth_method:
 * exp`: the first order without a shared n-gram counts half a match, the next a quarter. With `effectiveOrder`, as for a
 * single sentence, orders for which the answers are too short do not count.
 */
export function bleuOf(counts: readonly BleuCounts[], { effectiveOrder = false } = {}): number {
  const sums = sumPlaces(counts);
  const [shared, totals] = [sums.slice(0, ORDERS), sums.slice(ORDERS, 2 * ORDERS)];
  const [length = 0, expected = 0] = sums.slice(2 * ORDERS);
  if (shared.every((count) => count === 0)) return 0;
  const brevity = length < expected ? (length > 0 ? Math.exp(1 - expected / length) : 0) : 1;
  let smoothing = 1;
  let logarithms = 0;
  let orders = 0;
  for (const [index, total] of totals.entries()) {
    if (total === 0) break;
    orders += 1;
    const count = shared[index] ?? 0;
    if (count === 0) smoothing *= 2;
    logarithms += Math.log(count === 0 ? 100 / (smoothing * total) : (100 * count) / total);
  }
  if (orders < ORDERS && !effectiveOrder) return 0;
  return brevity * Math.exp(logarithms / orders);
}
