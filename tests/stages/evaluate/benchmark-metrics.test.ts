import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { EvaluateConfig } from '../../../src/generated/evaluate-config.ts';
import type { Score, Scores } from '../../../src/metrics/scores.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { evaluateStage } from '../../../src/stages/evaluate/evaluate-stage.ts';
import { run } from '../../../src/stages/evaluate/run-evaluate.ts';
import expected from '../../fixtures/benchmarks/choices.json' with { type: 'json' };
import { openStageRig } from '../stage-rig.ts';

async function scoresOf(
  responses: readonly JsonObject[],
  config: Partial<EvaluateConfig>,
): Promise<readonly Score[]> {
  await using rig = await openStageRig();
  await rig.writeRecords('responses', responses);
  await rig.run(
    { run },
    {
      config: fillDefaults(evaluateStage.schema, config as JsonObject), // a configuration is JSON
      inputs: { responses: 'responses' },
      outputs: { scores: 'scores' },
    },
  );
  const scores: Scores = JSON.parse(await readFile(rig.path('scores'), 'utf8'));
  return scores.metrics;
}

interface ChoiceRow {
  readonly id: string;
  readonly expected: string;
  readonly fields: JsonObject;
  readonly choices: readonly { readonly text: string; readonly log_likelihood: number }[];
}

const response = ({ id, expected: gold, fields, choices }: ChoiceRow): JsonObject => ({
  id,
  prompt: 'p',
  expected: gold,
  fields,
  choices: choices.map(({ text, log_likelihood }) => ({
    text,
    log_likelihood,
    per_character: log_likelihood / [...text].length,
    per_byte: log_likelihood / Buffer.byteLength(text),
    tokens: 1,
    is_greedy: false,
  })),
});

const answered = (id: string, text: string, more: { expected?: string; fields?: JsonObject } = {}) => ({
  id,
  prompt: 'p',
  expected: more.expected ?? '',
  fields: more.fields ?? {},
  response: text,
  finish_reason: 'stop',
});

const chosen = expected.rows.map(({ id, group, gold, choices }) =>
  response({ id, expected: choices[gold]?.text ?? '', fields: { group }, choices }),
);
const close = ({ value, standard_error: error }: { value: number; standard_error: number }) => ({
  value: expect.closeTo(value, 12),
  standard_error: expect.closeTo(error, 12),
});

test('accuracies by sum, character and byte have the figures and errors of lm-eval', async () => {
  const metrics = ['accuracy', 'accuracy_per_character', 'accuracy_per_byte'] as const;
  expect(await scoresOf(chosen, { metrics: [...metrics] })).toEqual(
    metrics.map((metric) => ({ metric, higher_is_better: true, count: 60, ...close(expected[metric]) })),
  );
});

test('a breakdown has each value of a field, and their mean with the error of a mean of means', async () => {
  const [all, mean, ...groups] = await scoresOf(chosen, { metrics: ['accuracy'], by: ['group'] });
  const { a, b, c } = expected.groups;
  expect(all).toMatchObject({ metric: 'accuracy', count: 60 });
  expect(mean).toEqual({
    metric: 'accuracy',
    of: 'mean over group',
    value: expect.closeTo((a.value + b.value + c.value) / 3, 12),
    standard_error: expect.closeTo(Math.hypot(a.standard_error, b.standard_error, c.standard_error) / 3, 12),
    higher_is_better: true,
    count: 3,
  });
  expect(groups).toEqual(
    Object.entries(expected.groups).map(([of, figures]) => ({
      metric: 'accuracy',
      of,
      higher_is_better: true,
      count: 20,
      ...close(figures),
    })),
  );
});

test('the worst answer to each question counts if its variants are distinguished', async () => {
  const answer = (id: string, text: string) =>
    answered(id, text, { expected: 'yes', fields: { instance: id[0] ?? '' } });
  const responses = [
    answer('a', 'yes'),
    answer('a~typos', 'no'),
    answer('b', 'yes'),
    answer('b~typos', 'yes'),
  ];
  expect(await scoresOf(responses, { metrics: ['exact_match'], worst_of: 'instance' })).toMatchObject([
    { metric: 'exact_match', value: 0.75, count: 4 },
    // Of 0 and 1: sd sqrt(1/2), n 2.
    { metric: 'exact_match', of: 'worst of each instance', value: 0.5, count: 2, standard_error: 0.5 },
  ]);
});

test('robustness and fairness each count the worst of the question and its own perturbations', async () => {
  const answer = (instance: string, perturbation: string, response: string) => ({
    id: `${instance}~${perturbation}`,
    prompt: '',
    expected: 'yes',
    response,
    fields: { instance, perturbation },
  });
  const responses = [
    answer('a', 'none', 'yes'),
    answer('a', 'typos', 'no'),
    answer('a', 'dialect', 'yes'),
    answer('b', 'none', 'no'),
    answer('b', 'typos', 'yes'),
    answer('b', 'dialect', 'yes'),
    answer('c', 'none', 'yes'),
    answer('c', 'typos', 'yes'),
    answer('c', 'dialect', 'yes'),
  ];
  const scores = await scoresOf(responses, { metrics: ['exact_match'], worst_of: 'instance' });
  expect(scores.map(({ of, value, count }) => [of, value, count])).toEqual([
    [undefined, expect.closeTo(7 / 9, 12), 9],
    ['worst of each instance', expect.closeTo(1 / 3, 12), 3],
    ['robustness', expect.closeTo(1 / 3, 12), 3],
    ['fairness', expect.closeTo(2 / 3, 12), 3],
  ]);
});

test('calibration has the figures of the library that HELM uses', async () => {
  const scores = await scoresOf(chosen, { metrics: ['calibration'] });
  expect(Object.fromEntries(scores.map(({ metric, value }) => [metric, value]))).toEqual(
    Object.fromEntries(
      Object.entries(expected.calibration).map(([metric, value]) => [metric, expect.closeTo(value, 9)]),
    ),
  );
});

test('perplexities of whole texts are those of lm-eval', async () => {
  const responses = expected.texts.map((text, index) => ({
    id: String(index),
    prompt: '',
    expected: 'x',
    fields: {},
    scored_tokens: 1,
    ...text,
  }));
  const metrics = ['word_perplexity', 'byte_perplexity', 'bits_per_byte'] as const;
  const scores = await scoresOf(responses, { metrics: [...metrics] });
  expect(scores.map(({ metric, value }) => [metric, value])).toEqual(
    metrics.map((metric) => [metric, expect.closeTo(expected.rolling[metric], 9)]),
  );
});

test('GLUE and SuperGLUE score each task with its own metrics, and their mean', async () => {
  const two = (task: string) =>
    expected.rows.map(({ id, gold, choices }) =>
      response({
        id: `${task}/${id}`,
        expected: '',
        fields: { task, label: String(gold % 2) },
        choices: choices.slice(0, 2),
      }),
    );
  const { matthews, accuracy, f1 } = expected.two_classes;
  const scores = await scoresOf([...two('cola'), ...two('mrpc')], {
    metrics: ['glue'],
    bootstrap: { rounds: 10, seed: 0 },
  });
  expect(scores.map(({ metric, of, value }) => [metric, of, value])).toEqual([
    ['matthews', 'cola', expect.closeTo(matthews, 12)],
    ['accuracy', 'mrpc', expect.closeTo(accuracy, 12)],
    ['f1', 'mrpc', expect.closeTo(f1, 12)],
    ['glue_score', undefined, expect.closeTo((matthews + (accuracy + f1) / 2) / 2, 12)],
  ]);
  const likely = (id: string, fields: JsonObject, first: number) =>
    response({
      id,
      expected: '',
      fields,
      choices: [
        { text: 'a', log_likelihood: first },
        { text: 'b', log_likelihood: -1 },
      ],
    });
  const multi = (id: string, label: string, first: number) =>
    likely(id, { task: 'multirc', label, question_id: id[0] ?? '' }, first);
  const record = (id: string, first: number) =>
    likely(id, { task: 'record', entities: ['Ann Lee', 'Bo'], answers: ['Lee'] }, first);
  // Right: 1a (yes), 1b (no), 2a; wrong: 2b, called right. Of Ann Lee and Lee the F1 is 2/3.
  const responses = [
    multi('1a', '1', -0.5),
    multi('1b', '0', -2),
    multi('2a', '1', -0.5),
    multi('2b', '0', -0.5),
  ];
  const others = await scoresOf([...responses, record('r', -0.5), record('s', -2)], {
    metrics: ['superglue'],
  });
  expect(others.map(({ metric, of, value }) => [metric, of, value])).toEqual([
    ['f1a', 'multirc', expect.closeTo(4 / 5, 12)],
    // Of the second question, 2/3 for yes and 0 for no.
    ['f1m', 'multirc', expect.closeTo((1 + 1 / 3) / 2, 12)],
    ['exact_match', 'multirc', 0.5],
    ['f1', 'record', expect.closeTo(1 / 3, 12)],
    ['exact_match', 'record', 0],
    ['superglue_score', undefined, expect.closeTo((0.65 + 1 / 6) / 2, 12)],
  ]);
});

test('a diagnostic set of SuperGLUE has its figures, and no part in the mean', async () => {
  const one = (id: string, task: string, label: string, first: number, pair = '') =>
    response({
      id,
      expected: '',
      fields: { task, label, pair_id: pair },
      choices: [
        { text: 'True', log_likelihood: first },
        { text: 'False', log_likelihood: -1 },
      ],
    });
  const scores = await scoresOf(
    [
      one('a', 'axg', 'entailment', -0.5, '1'),
      one('b', 'axg', 'entailment', -2, '1'),
      one('c', 'axb', 'entailment', -0.5),
      one('d', 'axb', 'not_entailment', -2),
      one('e', 'rte', 'entailment', -0.5),
    ],
    { metrics: ['superglue'] },
  );
  expect(scores.map(({ metric, of, value, count }) => [metric, of, value, count])).toEqual([
    ['accuracy', 'axg', 0.5, 2],
    ['gender_parity', 'axg', 0, 1],
    ['matthews', 'axb', 1, 2],
    ['accuracy', 'rte', 1, 1],
    ['superglue_score', undefined, 1, 1],
  ]);
});

test('a task whose choices are all the same has no correlation, and counts 0 in the mean', async () => {
  const same = [0, 5].map((similarity) =>
    response({
      id: String(similarity),
      expected: '',
      fields: { task: 'sts-b', label: String(similarity) },
      choices: [{ text: '2.0', log_likelihood: -1 }],
    }),
  );
  const scores = await scoresOf(same, { metrics: ['glue'], bootstrap: { rounds: 2, seed: 0 } });
  expect(scores.map(({ metric, value }) => [metric, value])).toEqual([
    ['pearson', null],
    ['spearman', null],
    ['glue_score', 0],
  ]);
});

test('SQuAD and TriviaQA are scored over all of their answers', async () => {
  const squad = await scoresOf(
    [
      answered('a', 'The cat.', { fields: { answers: ['cat', 'a dog'] } }),
      answered('b', 'unanswerable', { fields: { answers: [] } }),
      answered('c', 'a cat', { fields: { answers: [] } }),
    ],
    { metrics: ['squad'] },
  );
  expect(squad.map(({ metric, value, count }) => [metric, value, count])).toEqual([
    ['exact', expect.closeTo(200 / 3, 12), 3],
    ['f1', expect.closeTo(200 / 3, 12), 3],
    ['HasAns_exact', 100, 1],
    ['HasAns_f1', 100, 1],
    ['NoAns_exact', 50, 2],
    ['NoAns_f1', 50, 2],
  ]);
  const trivia = await scoresOf(
    [answered('a', "Sunset Boul'd!", { fields: { answers: ['sunset blvd', 'sunset boul d'] } })],
    { metrics: ['triviaqa'] },
  );
  expect(trivia.map(({ metric, value }) => [metric, value])).toEqual([
    ['exact_match', 100],
    ['f1', 100],
  ]);
});

test('answers in text are compared as each benchmark compares them', async () => {
  const figureOf = async (metric: EvaluateConfig['metrics'][number], answer: JsonObject) =>
    (await scoresOf([answer], { metrics: [metric] }))[0]?.value;
  const bbh = (text: string) => figureOf('bbh', answered('a', text, { expected: '(B)' }));
  expect([await bbh('(B)'), await bbh('Hmm. So the answer is (B).\n\nQ: x'), await bbh('(B) or so')]).toEqual(
    [1, 1, 0],
  );
  const task = { targets: ['12', 'twelve'], stop_string: '\n', output_regex: '(\\d+)' };
  expect(await figureOf('exact_str_match', answered('a', 'It is 12.\n13', { fields: task }))).toBe(1);
  const evals = (template: string, more: JsonObject = {}) => ({
    fields: { template, ideal: ['Paris', 'paris, france'], ...more },
  });
  expect([
    await figureOf('openai_evals', answered('a', 'Paris!', evals('match'))),
    await figureOf('openai_evals', answered('a', 'It is Paris', evals('match'))),
    await figureOf('openai_evals', answered('a', 'In PARIS', evals('includes'))),
    await figureOf('openai_evals', answered('a', 'In PARIS', evals('includes', { ignore_case: true }))),
  ]).toEqual([1, 0, 0, 1]);
  // HELM: of the sets {cat, sat} and {cat, on, mat} the F1 is 2/5.
  const cat = { expected: 'The cat sat' };
  expect([
    await figureOf('set_f1', answered('a', 'a cat, cat on mat', cat)),
    await figureOf('quasi_exact_match', answered('a', 'cat sat!', cat)),
    await figureOf('prefix_match', answered('a', 'The cat sat down', cat)),
    await figureOf('quasi_prefix_match', answered('a', 'CAT SAT down', cat)),
  ]).toEqual([expect.closeTo(2 / 5, 12), 1, 1, 1]);
});
