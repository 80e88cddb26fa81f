import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import { type Metric, plainly, type RatedResponse } from './metric.ts';
import { answerTokens, normalizeAnswer, tokenOverlapF1 } from './normalize-answer.ts';

/** 1 where the answer equals an expected one, else 0. */
export const exactMatch: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }, { exact_match: options }) => {
    const answer = comparable(response.response ?? '', options);
    return plainly(expected.some((gold) => comparable(gold, options) === answer) ? 1 : 0);
  },
};

function comparable(text: string, options: EvaluateConfig['exact_match']): string {
  if (options.normalize === 'squad') return normalizeAnswer(text);
  const stripped = text.trim();
  return options.ignore_case ? stripped.toLowerCase() : stripped;
}

/** SQuAD's F1 (evaluate-v2.0.py, get_raw_scores): the best over the expected answers. */
export const tokenF1: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) =>
    plainly(Math.max(...meaningfulAnswers(expected).map((gold) => answerF1(gold, response.response ?? '')))),
};

/** The answers that leave something when normalised; without any, the empty one is right. */
export function meaningfulAnswers(golds: readonly string[]): readonly string[] {
  const meaningful = golds.filter((gold) => normalizeAnswer(gold) !== '');
  return meaningful.length > 0 ? meaningful : [''];
}

/** SQuAD's compute_f1: where a side has no words, 1 if neither has, else 0. */
export function answerF1(gold: string, answer: string): number {
  const goldTokens = answerTokens(gold);
  const answered = answerTokens(answer);
  if (goldTokens.length === 0 || answered.length === 0) return goldTokens.length === answered.length ? 1 : 0;
  return tokenOverlapF1(goldTokens, answered);
}

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

/** 1 where the model ended its answer itself, 0 where the limit did. */
export const finished: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response }) => plainly(response.finish_reason === 'stop' ? 1 : 0),
};
