import type { EvaluateConfig } from '../../../generated/evaluate-config.ts';
import { withinTime } from '../../../text/within-time.ts';
import { type Metric, plainly } from './metric.ts';

/**
 * The mark that a judge gave. A record whose judged answer is empty gets the lowest, as in the reference experiment; a
 * judge's answer without a mark, or with one outside of the scale, is left out of the mean and counted.
 */
export const judgeScore: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response }, { judged_field: field, judge_score: scale }) => {
    if (response.fields[field] === '') return plainly(scale.minimum);
    const mark = readMark((response.response ?? '').trim(), scale.pattern);
    return mark >= scale.minimum && mark <= scale.maximum ? plainly(mark) : undefined;
  },
  leftOutReason: ({ judge_score: { minimum, maximum, pattern } }) =>
    pattern === undefined
      ? `the judge did not answer with an integer from ${minimum} to ${maximum}`
      : `the judge gave no mark from ${minimum} to ${maximum} in the form of \`judge_score.pattern\``,
};

/** For one answer, in milliseconds: a regular expression can take for ever. */
const patience = 1000;

function readMark(answer: string, pattern: EvaluateConfig['judge_score']['pattern']): number {
  if (pattern === undefined) return /^[+-]?\d+$/.test(answer) ? Number(answer) : Number.NaN;
  const found = withinTime(patience, () => [...answer.matchAll(new RegExp(pattern, 'g'))]);
  const mark = found?.value.at(-1)?.[1];
  return mark === undefined || mark.trim() === '' ? Number.NaN : Number(mark);
}
