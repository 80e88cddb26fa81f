import { type Metric, plainly, type RatedResponse } from './metric.ts';
import { normalizeAnswer } from './normalize-answer.ts';

/** 1 where the answer compares with an expected one. */
const matches = (isMatch: (answer: string, gold: string) => boolean): Metric => ({
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }: RatedResponse) =>
    plainly(expected.some((gold) => isMatch(response.response ?? '', gold)) ? 1 : 0),
});

/** HELM's quasi_exact_match: equal in small letters, without punctuation and articles. */
export const quasiExactMatch = matches((answer, gold) => {
  const normalized = normalizeAnswer(gold);
  return answer !== '' && normalized === normalizeAnswer(answer);
});

/** HELM's prefix_exact_match: the answer begins with an expected one. */
export const prefixMatch = matches((answer, gold) => answer !== '' && answer.trim().startsWith(gold.trim()));

/** HELM's quasi_prefix_exact_match. */
export const quasiPrefixMatch = matches(
  (answer, gold) => answer !== '' && normalizeAnswer(answer).startsWith(normalizeAnswer(gold)),
);

/** HELM's f1_score: of the sets of words, the best over the expected answers (nltk.metrics.scores.f_measure). */
export const setF1: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) =>
    plainly(Math.max(0, ...expected.map((gold) => overlap(wordSet(gold), wordSet(response.response ?? ''))))),
};

const wordSet = (text: string): ReadonlySet<string> => new Set(normalizeAnswer(text).split(' '));

function overlap(gold: ReadonlySet<string>, answer: ReadonlySet<string>): number {
  const common = [...gold].filter((word) => answer.has(word)).length;
  return common === 0 ? 0 : (2 * common) / (gold.size + answer.size);
}
