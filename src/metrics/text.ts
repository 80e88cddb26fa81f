import type { EvaluateConfig } from '../generated/evaluate-config.ts';
import type { MeanMetric, Metrics } from './metric.ts';
import { answerTokens, normalizeAnswer, tokenOverlapF1 } from './normalize-answer.ts';
import { unweighted } from './statistics.ts';

const common = { better: 'higher', reads: 'text' } as const;

/** 1 if `isMatch` holds for the answer and one of the expected answers. */
const matchBy = (
  isMatch: (answer: string, gold: string, config: EvaluateConfig) => boolean,
): MeanMetric['scoreOne'] => {
  return ({ response: { response: answer = '' }, expected }, config) =>
    unweighted(expected.some((gold) => isMatch(answer, gold, config)) ? 1 : 0);
};

/** Metrics that compare a generated answer with the expected ones. */
export const textMetrics = {
  exact_match: {
    ...common,
    measures:
      'The share of answers that equal an expected one; the field `exact_match` says how they compare.',
    source: "lm-evaluation-harness; `normalize: squad` is SQuAD's",
    scoreOne: matchBy(
      (answer, gold, { exact_match: options }) => comparable(answer, options) === comparable(gold, options),
    ),
  },
  token_f1: {
    ...common,
    measures:
      'F1 of the words that the answer shares with an expected one, the best over the expected answers.',
    source: "SQuAD's evaluate-v2.0.py (get_raw_scores)",
    scoreOne: ({ response: { response: answer = '' }, expected }) =>
      unweighted(Math.max(...meaningfulAnswers(expected).map((gold) => answerF1(gold, answer)))),
  },
  finished: {
    ...common,
    measures: 'The share of answers that the model ended itself, rather than the token limit.',
    source: "generate's `finish_reason`",
    scoreOne: ({ response }) => unweighted(response.finish_reason === 'stop' ? 1 : 0),
  },
  quasi_exact_match: {
    ...common,
    measures:
      'The share of answers that equal an expected one in lowercase, without punctuation and articles.',
    source: "HELM's quasi_exact_match",
    scoreOne: matchBy((answer, gold) => answer !== '' && normalizeAnswer(gold) === normalizeAnswer(answer)),
  },
  prefix_match: {
    ...common,
    measures: 'The share of answers that begin with an expected one.',
    source: "HELM's prefix_exact_match",
    scoreOne: matchBy((answer, gold) => answer !== '' && answer.trim().startsWith(gold.trim())),
  },
  quasi_prefix_match: {
    ...common,
    measures:
      'The share of answers that begin with an expected one in lowercase, without punctuation and articles.',
    source: "HELM's quasi_prefix_exact_match",
    scoreOne: matchBy(
      (answer, gold) => answer !== '' && normalizeAnswer(answer).startsWith(normalizeAnswer(gold)),
    ),
  },
  set_f1: {
    ...common,
    measures: 'F1 of the sets of words of answer and expected answer, the best over the expected answers.',
    source: "HELM's f1_score (nltk's f_measure)",
    scoreOne: ({ response: { response: answer = '' }, expected }) =>
      unweighted(Math.max(0, ...expected.map((gold) => setOverlapF1(wordSet(gold), wordSet(answer))))),
  },
} satisfies Metrics;

function comparable(text: string, options: EvaluateConfig['exact_match']): string {
  if (options.normalize === 'squad') return normalizeAnswer(text);
  const stripped = text.trim();
  return options.ignore_case ? stripped.toLowerCase() : stripped;
}

/** The answers that leave something when normalized; without any, the empty one is right. */
export function meaningfulAnswers(golds: readonly string[]): readonly string[] {
  const meaningful = golds.filter((gold) => normalizeAnswer(gold) !== '');
  return meaningful.length > 0 ? meaningful : [''];
}

/** SQuAD's compute_f1: if a side has no words, 1 if neither has, else 0. */
export function answerF1(gold: string, answer: string): number {
  const goldTokens = answerTokens(gold);
  const answered = answerTokens(answer);
  if (goldTokens.length === 0 || answered.length === 0) return goldTokens.length === answered.length ? 1 : 0;
  return tokenOverlapF1(goldTokens, answered);
}

const wordSet = (text: string): ReadonlySet<string> => new Set(normalizeAnswer(text).split(' '));

function setOverlapF1(gold: ReadonlySet<string>, answer: ReadonlySet<string>): number {
  const shared = [...gold].filter((word) => answer.has(word)).length;
  return shared === 0 ? 0 : (2 * shared) / (gold.size + answer.size);
}
