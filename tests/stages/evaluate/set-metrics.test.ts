import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { answerKey } from '../../../src/metrics/ratings.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { checkJudgeScore, evaluateStage } from '../../../src/stages/evaluate/evaluate-stage.ts';
import { run } from '../../../src/stages/evaluate/run-evaluate.ts';
import { openStageRig } from '../stage-rig.ts';

const configOf = (config: JsonObject) => fillDefaults(evaluateStage.schema, config);

const answered = (id: string, response: string, more: JsonObject = {}) => ({
  id,
  prompt: `asked ${id}`,
  expected: '',
  fields: {},
  response,
  finish_reason: 'stop',
  ...more,
});

interface Inputs {
  readonly responses: readonly JsonObject[];
  readonly ratings?: readonly JsonObject[];
  readonly second_judge?: readonly JsonObject[];
}

async function scoresOf(config: JsonObject, given: Inputs): Promise<JsonObject> {
  await using rig = await openStageRig();
  for (const [port, rows] of Object.entries(given)) await rig.writeRecords(port, rows);
  const inputs = Object.fromEntries(Object.keys(given).map((port) => [port, port]));
  await rig.run({ run }, { config: configOf(config), inputs, outputs: { scores: 'scores' } });
  return JSON.parse(await readFile(rig.path('scores'), 'utf8'));
}

/** What `preference` makes of verdicts written as pair, answer shown first, verdict. */
const preferencesOf = (...verdicts: readonly (readonly [string, 'first' | 'second', string])[]) =>
  scoresOf(
    { metrics: ['preference'] },
    {
      responses: verdicts.map(([pair, shown, verdict]) =>
        answered(`${pair}/${shown}`, verdict, { fields: { pair, shown_first: shown } }),
      ),
    },
  );

test('preference counts wins by pair, ties half, and shows how the judge follows positions', async () => {
  const scores = await preferencesOf(
    ['1', 'first', 'Both are good, but [[A]]'],
    ['1', 'second', '[[B]]'], // the first model wins twice: 1
    ['2', 'first', '[[A]]'],
    ['2', 'second', '[[A]]'], // always the one in front: 0.5
    ['3', 'first', 'tie'],
    ['3', 'second', '[[C]]'], // 0.5
    ['4', 'first', 'I cannot say'],
    ['4', 'second', 'A'], // 0
  );
  expect(scores).toEqual({
    metrics: [
      {
        metric: 'win_rate',
        value: 0.5,
        higher_is_better: true,
        count: 4,
        // The pairs 1, .5, .5, 0: sd sqrt(.5 / 3), over sqrt(4).
        standard_error: expect.closeTo(Math.sqrt(0.5 / 3) / 2, 12),
        left_out: {
          count: 1,
          reason: 'the judge gave no verdict ([[A]], [[B]] or [[C]] for a tie)',
          ids: ['4/first'],
        },
      },
      {
        metric: 'ties',
        value: expect.closeTo(2 / 7, 12),
        higher_is_better: true,
        count: 7,
        standard_error: expect.any(Number),
      },
      {
        metric: 'same_verdict_in_both_orders',
        value: expect.closeTo(2 / 3, 12),
        higher_is_better: true,
        count: 3,
        standard_error: expect.any(Number),
      },
      {
        metric: 'preferred_position_a',
        value: 0.8, // A, A, A, A and one B
        higher_is_better: true,
        count: 5,
        standard_error: expect.any(Number),
      },
    ],
    records: [1, 1, 1, 0, 0.5, 0.5, null, 0].map((preference, index) => ({
      id: ['1/first', '1/second', '2/first', '2/second', '3/first', '3/second', '4/first', '4/second'][index],
      values: { preference },
    })),
  });
});

test('pass@k is the unbiased estimate over the samples of each problem', async () => {
  // Of 4 samples 2 pass, and of 4 none: 1 - C(2,2)/C(4,2) = 5/6 for k = 2.
  const responses = ['one', 'two'].flatMap((task_id) =>
    [0, 1, 2, 3].map((sample) =>
      answered(`${task_id}#${sample}`, '', { fields: { task_id }, passed: task_id === 'one' && sample < 2 }),
    ),
  );
  const scores = await scoresOf({ metrics: ['pass_at_k'], pass_at_k: { k: [1, 2] } }, { responses });
  expect(scores.metrics).toEqual([
    {
      metric: 'pass@1',
      value: 0.25,
      higher_is_better: true,
      count: 2,
      standard_error: expect.closeTo(0.25, 12),
    },
    {
      metric: 'pass@2',
      value: expect.closeTo(5 / 12, 12),
      higher_is_better: true,
      count: 2,
      standard_error: expect.closeTo(5 / 12, 12),
    },
  ]);
  await expect(
    scoresOf({ metrics: ['pass_at_k'], pass_at_k: { k: [5] } }, { responses }),
  ).rejects.toMatchObject({ message: 'pass@5 cannot be computed: a problem has only 4 samples' });
});

interface Agreement {
  readonly rows: readonly { readonly judge: number; readonly people: readonly number[] }[];
  readonly [figure: string]: unknown;
}

const agreement: Agreement = JSON.parse(
  readFileSync(new URL('../../fixtures/evaluate/judge-agreement.json', import.meta.url), 'utf8'),
);

const judged = agreement.rows.map(({ judge }, index) => {
  const [prompt, response] = [`question ${index}`, `answer ${index}`];
  return answered(`${index}`, `${judge}`, { fields: { prompt, model_response: response } });
});

/** As `tuneloom review` writes them: texts, and some of an answer that has changed since. */
const ratings = agreement.rows.flatMap(({ people }, index) =>
  people.map((score, rater) => ({
    id: `${index}-${rater}`,
    key: answerKey({ prompt: `question ${index}`, response: `answer ${index}` }),
    rater: `rater ${rater}`,
    score: `${score}`,
    note: '',
  })),
);

test("people's ratings and a judge's agreement with them equal those of scipy and krippendorff", async () => {
  const stray = { id: 'stray', key: 'of another answer', rater: 'x', score: '3', note: '' };
  const scores = await scoresOf(
    { metrics: ['human_rating', 'judge_agreement'] },
    { responses: judged, ratings: [...ratings, stray] },
  );
  const values = Object.fromEntries(
    (scores.metrics as JsonObject[]).map(({ metric, value }) => [metric, value]),
  );
  const { rows: _, ...figures } = agreement;
  expect(Object.keys(values).sort()).toEqual(Object.keys(figures).sort());
  for (const [name, figure] of Object.entries(figures)) expect(values[name]).toBeCloseTo(Number(figure), 9);
  const correlation = (scores.metrics as JsonObject[]).at(-1);
  expect(correlation).toMatchObject({ of: 'people', count: 24 });
});

test('a second judge is compared by the ids of the questions', async () => {
  const second = judged.map((response) => ({ ...response, response: `${100 - Number(response.response)}` }));
  const scores = await scoresOf(
    { metrics: ['judge_agreement'] },
    { responses: judged, second_judge: second },
  );
  expect((scores.metrics as JsonObject[]).map(({ metric, of, value }) => [metric, of, value])).toEqual([
    ['judge_agreement_pearson', 'second judge', expect.closeTo(-1, 12)],
    ['judge_agreement_spearman', 'second judge', expect.closeTo(-1, 12)],
    ['judge_agreement_kendall', 'second judge', expect.closeTo(-1, 12)],
  ]);
});

test('the bootstrap of agreement takes its rounds and seed from the configuration', async () => {
  const intervalOf = async (bootstrap: { rounds: number; seed: number }) => {
    const inputs = { responses: judged, ratings };
    const { metrics } = await scoresOf({ metrics: ['judge_agreement'], bootstrap }, inputs);
    return (metrics as JsonObject[])[0]?.interval;
  };
  const usual = await intervalOf({ rounds: 50, seed: 0 });
  expect(await intervalOf({ rounds: 50, seed: 0 })).toEqual(usual);
  expect(await intervalOf({ rounds: 50, seed: 1 })).not.toEqual(usual);
  expect(await intervalOf({ rounds: 20, seed: 0 })).not.toEqual(usual);
});

test('a second judge with other questions is refused, or compared where both judged, with a count', async () => {
  const second = [...judged.slice(2), { ...judged[0], id: 'other' }];
  const config = { metrics: ['judge_agreement'] };
  await expect(scoresOf(config, { responses: judged, second_judge: second })).rejects.toMatchObject({
    code: 'unmatched',
    message:
      "there are 2 responses without the second judge's (0, 1), and 1 responses of the second judge without the first one's (other)",
  });
  const scores = await scoresOf(
    { ...config, unmatched: 'leave_out' },
    { responses: judged, second_judge: second },
  );
  const [pearson, ...others] = scores.metrics as JsonObject[];
  expect(others.map(({ count }) => count)).toEqual([22, 22]);
  expect(pearson).toMatchObject({
    count: 22,
    left_out: { count: 3, reason: 'only one of the judges has marked it', ids: ['0', '1', 'other'] },
  });
});

test('a mark is read with a custom pattern, on a custom scale', async () => {
  const config = {
    metrics: ['judge_score'],
    judge_score: { minimum: 1, maximum: 10, pattern: '\\[\\[(\\d+(?:\\.\\d+)?)\\]\\]' },
  };
  const responses = [
    answered('a', 'First [[3]], but then Rating: [[7.5]]'),
    answered('b', '[[11]]'),
    answered('c', 'nothing'),
    answered('d', 'x', { fields: { model_response: '' } }),
  ];
  expect(await scoresOf(config, { responses })).toMatchObject({
    metrics: [
      {
        value: 4.25, // 7.5, and the lowest mark for an empty answer
        left_out: {
          reason: 'the judge gave no mark from 1 to 10 in the form of `judge_score.pattern`',
          ids: ['b', 'c'],
        },
      },
    ],
  });
});

test('a pattern that takes forever leaves its answer out', async () => {
  const config = { metrics: ['judge_score'], judge_score: { pattern: '(a+)+$' } };
  const responses = [
    answered('a', `${'a'.repeat(40)}!`),
    answered('b', 'x', { fields: { model_response: '' } }),
  ];
  expect(await scoresOf(config, { responses })).toMatchObject({
    metrics: [{ count: 1, left_out: { ids: ['a'] } }],
  });
});

test.each([
  { scale: { minimum: 5, maximum: 5 }, message: 'the lowest mark is 5 and the highest 5' },
  { scale: { pattern: '\\d+' }, message: 'the pattern has no group, ( ), around the mark' },
  { scale: { pattern: '(' }, message: /^the pattern is no regular expression/ },
])('before anything runs: $scale is a mistake', ({ scale, message }) => {
  const config = configOf({ metrics: ['judge_score'], judge_score: scale });
  const [problem, ...others] = checkJudgeScore(config as never); // the schema's own defaults are filled in
  expect(others).toEqual([]);
  expect(problem?.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
});

test.each([
  {
    mistake: 'no ratings at all',
    given: () => scoresOf({ metrics: ['human_rating'] }, { responses: judged }),
    message: 'none of the responses has a rating by a person',
  },
  {
    mistake: 'nothing to compare',
    given: () => scoresOf({ metrics: ['judge_agreement'] }, { responses: judged }),
    message: 'the metric `judge_agreement` has nothing to compare the marks with',
  },
  {
    mistake: 'programs that never ran',
    given: () => scoresOf({ metrics: ['pass_at_k'] }, { responses: judged }),
    message: 'the metric `pass_at_k` cannot be computed: 24 of 24 responses were never run',
  },
  {
    mistake: 'a rating that is no number',
    given: () =>
      scoresOf(
        { metrics: ['human_rating'] },
        { responses: judged, ratings: [{ id: '1', key: 'k', rater: 'r', score: 'good' }] },
      ),
    message: '1 of 1 records are no ratings',
  },
])('$mistake: an error that says so', async ({ given, message }) => {
  await expect(given()).rejects.toMatchObject({ name: 'UserError', message });
});

test('bleu and chrf are scores of all answers with intervals, and have one of each answer; rouge is a mean', async () => {
  const responses = [
    answered('a', 'the cat sat on the mat', { expected: 'the cat sat on the mat' }),
    answered('b', 'a dog', { expected: 'a dog barks' }),
    answered('c', '', { expected: 'nothing' }),
  ];
  const scores = await scoresOf({ metrics: ['bleu', 'chrf', 'rouge_l'] }, { responses });
  const interval = { low: expect.any(Number), high: expect.any(Number), rounds: 1000, seed: 0 };
  const common = { higher_is_better: true, count: 3 };
  expect(scores).toEqual({
    metrics: [
      // All n-grams are expected ones, and there are 8 words where 10 are expected.
      { metric: 'bleu', value: expect.closeTo(100 * Math.exp(1 - 10 / 8), 10), ...common, interval },
      { metric: 'chrf', value: expect.any(Number), ...common, interval },
      {
        ...{ metric: 'rouge_l', value: expect.closeTo((1 + 0.8 + 0) / 3, 12), ...common },
        standard_error: expect.any(Number),
      },
    ],
    records: [
      { id: 'a', values: { bleu: expect.closeTo(100, 10), chrf: 100, rouge_l: 1 } },
      { id: 'b', values: { bleu: expect.any(Number), chrf: expect.any(Number), rouge_l: 0.8 } },
      { id: 'c', values: { bleu: 0, chrf: 0, rouge_l: 0 } },
    ],
  });
});
