import { UserError } from '../../../../user-error.ts';
import type { ResponseRecord } from '../../../ports/response-record.ts';
import type { Score } from '../../../ports/scores.ts';
import { scorePreferences } from '../../benchmarks/alpaca-eval/score-preferences.ts';
import type { SetMetric } from '../set-metric.ts';
import { fromBenchmark } from './from-benchmark.ts';

const reason = 'the judge answered neither m nor M';

/**
 * AlpacaEval's win rates of the first model of `pair`, from a judge's choice between `m`, the answer in front, and `M`:
 * p(m) / (p(m) + p(M)) where the two were rated (the weighted win rate of version 2), else the letter that was written.
 */
export const alpacaEvalMetric: SetMetric = {
  reads: 'verdict',
  score: (rated) => {
    const preferences = rated.map(({ response }) => ({ id: response.id, value: preferenceOf(response) }));
    const used = preferences.flatMap(({ value }) => value ?? []);
    const ids = preferences.flatMap(({ id, value }) => (value === undefined ? [id] : []));
    if (used.length === 0)
      throw new UserError({
        code: 'nothing-to-score',
        message: `the metric \`alpaca_eval\` can use none of the responses: ${reason}`,
        help: 'let the judge choose between m and M with `mode: choices`, or ask it for the letter alone',
      });
    const scores = fromBenchmark(scorePreferences(used.map((value) => 1 + value)));
    const leftOut = ids.length === 0 ? {} : { left_out: { count: ids.length, reason, ids } };
    return {
      metrics: scores.map((score, index): Score => (index === 0 ? { ...score, ...leftOut } : score)),
      values: new Map(preferences.map(({ id, value }) => [id, value ?? null])),
    };
  },
};

/** How far the first model is preferred, from 0 to 1. */
function preferenceOf({ id, response, choices, fields }: ResponseRecord): number | undefined {
  const { shown_first: shownFirst } = fields;
  if (shownFirst !== 'first' && shownFirst !== 'second')
    throw new UserError({
      code: 'no-pair',
      message: `the response ${id} is no verdict on a pair: its row lacks \`shown_first\``,
      help: 'let the stage `pair` lay a model’s answers beside the baseline’s, and give its records to the judge',
    });
  const front = choices === undefined ? writtenPreference(response ?? '') : ratedPreference(choices);
  return front === undefined || shownFirst === 'first' ? front : 1 - front;
}

function writtenPreference(answer: string): number | undefined {
  const letter = answer.replace(/[^A-Za-z]/g, '');
  return letter === 'm' ? 1 : letter === 'M' ? 0 : undefined;
}

function ratedPreference(choices: NonNullable<ResponseRecord['choices']>): number | undefined {
  const [m, M] = ['m', 'M'].map((name) => choices.find(({ text }) => text.trim() === name)?.log_likelihood);
  return m === undefined || M === undefined ? undefined : 1 / (1 + Math.exp(M - m));
}
