import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { rankBounds } from '../../../src/benchmarks/arena/score-battles.ts';
import { writeGraderPrompt } from '../../../src/benchmarks/openai-evals/model-graded.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { evaluateStage } from '../../../src/stages/evaluate/evaluate-stage.ts';
import { run } from '../../../src/stages/evaluate/run-evaluate.ts';
import { openStageRig } from '../stage-rig.ts';

const official = JSON.parse(
  readFileSync(new URL('../../fixtures/benchmarks/model-graded.json', import.meta.url), 'utf8'),
);

async function scoresOf(config: JsonObject, responses: readonly JsonObject[]): Promise<JsonObject> {
  await using rig = await openStageRig();
  await rig.writeRecords('responses', responses);
  await rig.run(
    { run },
    {
      config: fillDefaults(evaluateStage.schema, config),
      inputs: { responses: 'responses' },
      outputs: { scores: 'scores' },
    },
  );
  return JSON.parse(await readFile(rig.path('scores'), 'utf8'));
}

interface Case {
  readonly answer: string;
  readonly eval_type: string;
  readonly match_fn: string;
  readonly choice: string;
  readonly score: number;
}

test('model_graded takes the choices and scores that OpenAI Evals takes', async () => {
  const cases: readonly Case[] = official.cases;
  const responses = cases.map(({ answer, eval_type, match_fn }, index) => ({
    id: `${index}`,
    prompt: '',
    expected: '',
    response: answer,
    fields: {
      grader: {
        prompt: '{completion}',
        choice_strings: 'ABC',
        choice_scores: { A: 1, B: 0.25, C: -0.5 },
        answer_prompt: eval_type,
        match_fn,
      },
    },
  }));
  const { metrics, records } = await scoresOf({ metrics: ['model_graded'] }, responses);
  expect(records).toEqual(
    cases.map(({ choice }, index) => ({ id: `${index}`, values: { model_graded: choice } })),
  );
  const mean = cases.reduce((sum, { score }) => sum + score, 0) / cases.length;
  expect(metrics).toMatchObject([
    { metric: 'model_graded', value: expect.closeTo(mean, 12), count: cases.length },
    ...[...new Set(cases.map(({ choice }) => choice))].map((of) => ({
      metric: 'choices',
      of,
      value: cases.filter(({ choice }) => choice === of).length,
    })),
  ]);
});

test.each(Object.entries<string>(official.prompts))(
  'an eval that asks for %s has it below the prompt',
  (name, text) => {
    const grader = {
      prompt: 'Is {{this}} {completion} like {criteria}?\n{input}',
      choice_strings: ['Yes', 'No'],
      answer_prompt: name,
      values: { criteria: 'a {completion}' },
    };
    const input = [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hi {x}' },
    ];
    expect(writeGraderPrompt({ grader, input, response: 'an {input}' }).prompt).toBe(
      `Is {this} an {input} like a {completion}?\nSystem: Be kind.\nUser: Hi {x}\n\n\n${text}`,
    );
  },
);

const verdict = (id: string, shownFirst: string, more: JsonObject): JsonObject => ({
  id,
  prompt: '',
  expected: '',
  fields: { shown_first: shownFirst },
  ...more,
});

const scored = (m: number, M: number): JsonObject => ({
  choices: [
    ['m', m],
    ['M', M],
  ].map(([text, probability]) => ({
    text: String(text),
    log_likelihood: Math.log(Number(probability)),
    per_character: 0,
    per_byte: 0,
    tokens: 1,
    is_greedy: false,
  })),
});

test('alpaca_eval weighs a preference by the probabilities of m and M, whichever answer came first', async () => {
  const { metrics } = await scoresOf({ metrics: ['alpaca_eval'] }, [
    verdict('1', 'first', scored(0.6, 0.2)), // 0.75
    verdict('2', 'second', scored(0.1, 0.3)), // 0.75
    verdict('3', 'first', scored(0.1, 0.4)), // 0.2
    verdict('4', 'second', scored(0.2, 0.2)), // 0.5
  ]);
  // Mean 0.55; deviations 0.2, 0.2, -0.35, -0.05 have squares of 0.205 in all.
  expect(metrics).toMatchObject([
    {
      metric: 'win_rate',
      value: expect.closeTo(55, 10),
      count: 4,
      standard_error: expect.closeTo(100 * Math.sqrt(0.205 / 3 / 4), 10),
      remark: 'a judge can be gamed: a NullModel with one constant output scored 76.9',
    },
    { metric: 'discrete_win_rate', value: expect.closeTo(62.5, 10) },
    { metric: 'n_wins', value: 2 },
    { metric: 'n_wins_base', value: 1 },
    { metric: 'n_draws', value: 1 },
  ]);
});

test('alpaca_eval reads letters if there are no choices, and lists answers that are neither', async () => {
  const { metrics, records } = await scoresOf({ metrics: ['alpaca_eval'] }, [
    verdict('1', 'first', { response: '"m".' }),
    verdict('2', 'second', { response: 'm' }),
    verdict('3', 'second', { response: ' M\n' }),
    verdict('4', 'first', { response: 'model m' }),
  ]);
  expect(metrics).toMatchObject([
    {
      value: expect.closeTo(200 / 3, 10),
      left_out: { count: 1, reason: 'the judge answered neither m nor M', ids: ['4'] },
    },
    {},
    {},
    {},
    {},
  ]);
  expect(records).toMatchObject([1, 0, 1, null].map((value) => ({ values: { alpaca_eval: value } })));
});

test('battles are scored as `tuneloom score arena` scores them, over all and by a field', async () => {
  const battles = ['model_a', 'tie', 'model_b', 'model_a', 'tie (bothbad)', 'model_a'].map(
    (winner, index) => ({
      id: `${index}`,
      model_a: 'x',
      model_b: index % 2 === 0 ? 'y' : 'z',
      winner,
      language: index < 4 ? 'en' : 'de',
    }),
  );
  const config = { metrics: ['arena'], bootstrap: { rounds: 20 } };
  const { metrics } = await scoresOf(config, battles);
  // x has 2 - and a tie counts half - of its 3 battles with y... 1.5 of 3, and 2.5 of 3 with z.
  const ahead = (400 * Math.log10(5)) / 3;
  expect(Array.isArray(metrics) ? metrics.slice(0, 3) : metrics).toMatchObject([
    { metric: 'bradley_terry', of: 'x', value: expect.closeTo(1000 + ahead, 6), count: 6 },
    { metric: 'bradley_terry', of: 'y', value: expect.closeTo(1000 + ahead, 6), count: 3 },
    { metric: 'bradley_terry', of: 'z', value: expect.closeTo(1000 - 2 * ahead, 6), count: 3 },
  ]);
  const byLanguage = await scoresOf({ ...config, by: ['language'] }, battles);
  expect(JSON.stringify(byLanguage)).toContain('"of":"en: x"');
});

test('a rank lies between the models that are surely better and those that are surely worse', () => {
  const rating = (of: string, value: number, [low, high]: readonly [number, number]) => ({
    metric: 'bradley_terry',
    of,
    value,
    count: 9,
    interval: { low, high, rounds: 10, seed: 0 },
  });
  const ranks = rankBounds([
    rating('a', 1100, [1080, 1120]),
    rating('b', 1090, [1060, 1110]),
    rating('c', 1050, [1030, 1070]),
    rating('d', 900, [880, 920]),
  ]);
  expect(ranks.map(({ of, value, interval }) => [of, value, interval?.low, interval?.high])).toEqual([
    ['a', 1, 1, 2],
    ['b', 2, 1, 3],
    ['c', 3, 2, 3],
    ['d', 4, 4, 4],
  ]);
});
