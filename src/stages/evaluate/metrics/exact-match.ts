import type { EvaluateConfig } from '../../../generated/evaluate-config.ts';
import { type Metric, plainly } from './metric.ts';
import { normalizeAnswer } from './normalize-answer.ts';

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
