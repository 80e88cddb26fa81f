import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { EvaluateConfig } from '../../src/generated/evaluate-config.ts';
import type { MetricName, Metrics } from '../../src/metrics/metric.ts';
import { generalMetrics } from '../../src/metrics/metrics.ts';
import { normalizeAnswer } from '../../src/metrics/normalize-answer.ts';
import { weightedMean } from '../../src/metrics/statistics.ts';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import { evaluateStage } from '../../src/stages/evaluate/evaluate-stage.ts';
import type { ResponseRecord } from '../../src/text/response-record.ts';

interface SquadCase {
  readonly answer: string;
  readonly golds: readonly string[];
  readonly normalized: string;
  readonly exact: number;
  readonly f1: number;
}

const squad: readonly SquadCase[] = JSON.parse(
  readFileSync(new URL('../fixtures/evaluate/squad-scores.json', import.meta.url), 'utf8'),
);

const plain = fillDefaults(evaluateStage.schema, { metrics: ['exact_match'] }) as unknown as EvaluateConfig; // the schema's own defaults

const asSquad: EvaluateConfig = { ...plain, exact_match: { ignore_case: false, normalize: 'squad' } };
const ignoringCase: EvaluateConfig = { ...plain, exact_match: { ignore_case: true, normalize: 'none' } };

const metrics: Metrics = generalMetrics;

interface Given {
  readonly expected?: readonly string[];
  readonly config?: EvaluateConfig;
}

function scoreOne(
  name: MetricName,
  response: Partial<ResponseRecord>,
  { expected = [''], config = plain }: Given = {},
) {
  const record = { id: 'r', prompt: '', expected: '', fields: {}, ...response };
  const metric = metrics[name];
  if (metric === undefined || 'scoreAll' in metric) throw new Error(`${name} scores no single response`);
  return metric.scoreOne({ response: record, expected }, config);
}

describe.each(squad)('SQuAD: $answer against $golds', ({ answer, golds, normalized, exact, f1 }) => {
  test('normalization, exact match and F1 are those of the official scorer', () => {
    expect({
      normalized: normalizeAnswer(answer),
      exact: scoreOne('exact_match', { response: answer }, { expected: golds, config: asSquad })?.value,
      f1: scoreOne('token_f1', { response: answer }, { expected: golds })?.value,
    }).toEqual({ normalized, exact, f1 });
  });
});

test('exact_match ignores white space around the answer and nothing else', () => {
  const match = (response: string, config = plain) =>
    scoreOne('exact_match', { response }, { expected: ['Jane Austen.'], config })?.value;
  expect({
    same: match('Jane Austen.'),
    spaceAround: match('\n Jane Austen. '),
    spaceInside: match('Jane  Austen.'),
    otherCase: match('jane austen.'),
    otherCaseIgnored: match('jane austen.', ignoringCase),
    noStop: match('Jane Austen'),
  }).toEqual({
    same: 1,
    spaceAround: 1,
    spaceInside: 0,
    otherCase: 0,
    otherCaseIgnored: 1,
    noStop: 0,
  });
});

test('judge_score takes an integer from 0 to 100 and nothing else', () => {
  const judged = (response: string) => scoreOne('judge_score', { response })?.value;
  const verdicts = [
    '85',
    ' 85\n',
    '0',
    '100',
    '+7',
    '101',
    '-1',
    '85.',
    '8.5',
    'Score: 85',
    '85/100',
    '',
    '1e2',
  ];
  expect(verdicts.map((verdict) => [verdict, judged(verdict)])).toEqual([
    ['85', 85],
    [' 85\n', 85],
    ['0', 0],
    ['100', 100],
    ['+7', 7],
    ['101', undefined],
    ['-1', undefined],
    ['85.', undefined],
    ['8.5', undefined],
    ['Score: 85', undefined],
    ['85/100', undefined],
    ['', undefined],
    ['1e2', undefined],
  ]);
});

test('judge_score of an empty answer is 0, whatever the judge said', () => {
  const verdict = { response: 'There is no response.', fields: { model_response: '' } };
  expect(scoreOne('judge_score', verdict)).toEqual({ value: 0, weight: 1 });
});

test('finished distinguishes an answer that ended from one that the limit cut', () => {
  expect([
    scoreOne('finished', { response: 'a', finish_reason: 'stop' }),
    scoreOne('finished', { response: 'a', finish_reason: 'length' }),
  ]).toEqual([
    { value: 1, weight: 1 },
    { value: 0, weight: 1 },
  ]);
});

test('the loss of a record is its mean over tokens, weighted by their number; a record without tokens is left out', () => {
  expect([
    scoreOne('loss', { log_likelihood: -6, scored_tokens: 4 }),
    scoreOne('loss', { log_likelihood: 0, scored_tokens: 0 }),
  ]).toEqual([{ value: 1.5, weight: 4 }, undefined]);
});

test('with equal weights the standard error is sd / sqrt(n)', () => {
  // By hand: mean 2.5, sd sqrt(5/3), n 4.
  const { mean, standardError } = weightedMean([1, 2, 3, 4].map((value) => ({ value, weight: 7 })));
  expect(mean).toBe(2.5);
  expect(standardError).toBeCloseTo(Math.sqrt(5 / 3) / 2, 12);
});

test('a single value has no standard error', () => {
  expect(weightedMean([{ value: 3, weight: 2 }])).toEqual({ mean: 3 });
});
