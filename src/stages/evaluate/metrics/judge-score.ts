import { type Metric, plainly } from './metric.ts';

/**
 * The integer from 0 to 100 that a judge answered. A record whose judged answer is empty scores 0, as in the
 * reference experiment; a judge's answer that is no such integer is left out of the mean and counted.
 */
export const judgeScore: Metric = {
  higherIsBetter: true,
  reads: 'text',
  rate: ({ response }, { judged_field: field }) => {
    if (response.fields[field] === '') return plainly(0);
    const verdict = (response.response ?? '').trim();
    const score = /^[+-]?\d+$/.test(verdict) ? Number(verdict) : Number.NaN;
    return score >= 0 && score <= 100 ? plainly(score) : undefined;
  },
  leftOutReason: 'the judge did not answer with an integer from 0 to 100',
};
