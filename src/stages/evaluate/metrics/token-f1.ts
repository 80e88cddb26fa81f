import { type Metric, plainly } from './metric.ts';
import { answerTokens, normalizeAnswer } from './normalize-answer.ts';

/** SQuAD's F1 (evaluate-v2.0.py, get_raw_scores): the best over the expected answers. */
export const tokenF1: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response, expected }) => {
    const meaningful = expected.filter((gold) => normalizeAnswer(gold) !== '');
    const golds = meaningful.length > 0 ? meaningful : [''];
    return plainly(Math.max(...golds.map((gold) => f1(gold, response.response ?? ''))));
  },
};

/** The harmonic mean of precision and recall over words, each counted as often as both sides have it. */
function f1(gold: string, answer: string): number {
  const goldTokens = answerTokens(gold);
  const answered = answerTokens(answer);
  if (goldTokens.length === 0 || answered.length === 0) return goldTokens.length === answered.length ? 1 : 0;
  const shared = sharedCount(goldTokens, answered);
  if (shared === 0) return 0;
  const precision = shared / answered.length;
  const recall = shared / goldTokens.length;
  return (2 * precision * recall) / (precision + recall);
}

function sharedCount(one: readonly string[], other: readonly string[]): number {
  const left = new Map<string, number>();
  for (const token of one) left.set(token, (left.get(token) ?? 0) + 1);
  let shared = 0;
  for (const token of other) {
    const count = left.get(token) ?? 0;
    if (count > 0) shared += 1;
    left.set(token, count - 1);
  }
  return shared;
}
