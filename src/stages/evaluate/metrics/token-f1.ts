import { tokenOverlapF1 } from '../statistics/token-overlap-f1.ts';
import { type Metric, plainly } from './metric.ts';
import { answerTokens, normalizeAnswer } from './normalize-answer.ts';

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
