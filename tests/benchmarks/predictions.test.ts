import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import { evaluateStage } from '../../src/stages/evaluate/evaluate-stage.ts';
import { run } from '../../src/stages/evaluate/run-evaluate.ts';
import { readBenchmark } from '../../src/stages/load/read-records.ts';
import samples from '../fixtures/benchmarks/harness-samples.json' with { type: 'json' };
import { openStageRig } from '../stages/stage-rig.ts';
import { json, jsonLines, score, valuesOf } from './score-rig.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuneloom-predictions-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The rows that `as: predictions` reads from a file. */
async function rowsOf(name: string, content: string | Uint8Array): Promise<readonly JsonObject[]> {
  const records = join(folder, name);
  await writeFile(records, content);
  const rows: JsonObject[] = [];
  for await (const { record } of readBenchmark('predictions', { records })) rows.push(record);
  return rows;
}

const answer = (id: string, response: string, more: JsonObject = {}) => ({
  id,
  prompt: '',
  expected: '',
  fields: {},
  response,
  ...more,
});

test.each([
  ['map.json', '{"a": "x", "b": 7}', [answer('a', 'x'), answer('b', '7')]],
  ['map-of-rows.json', '{"a": {"prediction": "x"}}', [answer('a', 'x')]],
  ['marks.json', '[80, 95.5]', [answer('0', '80'), answer('1', '95.5')]],
  ['texts.json', '["x", "y"]', [answer('0', 'x'), answer('1', 'y')]],
  [
    'rows.json',
    '[{"id": 4, "prediction": "x", "model": "m", "target": "t"}]',
    [answer('4', 'x', { expected: 't', fields: { model: 'm' } })],
  ],
  [
    'rows.jsonl',
    '{"question_id":"q","response":"x"}\n{"question_id":"r","response":"y"}\n',
    [answer('q', 'x'), answer('r', 'y')],
  ],
  [
    'lines.txt',
    '{"id":"0","prediction":"a"}\n{"id":"1","prediction":"b"}\n',
    [answer('0', 'a'), answer('1', 'b')],
  ],
  ['one.txt', '{"id":"0","prediction":"a"}', [answer('0', 'a')]],
  ['rows.csv', 'id,prediction\n1,"x, y"\n2,z\n', [answer('1', 'x, y'), answer('2', 'z')]],
  ['rows.tsv', 'index\tprediction\n1\tx\n', [answer('1', 'x')]],
  [
    'helm.json',
    '[{"instance_id":"id7","predicted_text":" x","train_trial_index":0}]',
    [answer('id7', ' x', { fields: { train_trial_index: 0 } })],
  ],
  [
    'batch.jsonl',
    '{"custom_id":"c","response":{"status_code":200,"body":{"choices":[{"message":{"role":"assistant","content":"x"}}]}}}\n',
    [answer('c', 'x')],
  ],
  [
    'bbh.json',
    '{"canary":"c","outputs":[{"input":"Q","prediction":"(A)","target":"(B)"}]}',
    [answer('0', '(A)', { expected: '(B)', fields: { input: 'Q' } })],
  ],
] as const)('the answers of %s are read as responses', async (name, content, expected) => {
  expect(await rowsOf(name, content)).toEqual(expected);
});

test.each([
  [
    'null.jsonl',
    '{"id":"0","prediction":null,"label":"gold"}',
    'null.jsonl:1: prediction must be a text, but is null',
  ],
  [
    'none.json',
    '[{"id":"0","text_in":"a"}]',
    'none.json: [0] must be a prediction: an object with one of prediction',
  ],
  ['twice.jsonl', '{"id":1,"prediction":"a"}\n{"id":1,"prediction":"b"}', 'the id "1" is already that of'],
  ['mixed.json', '[{"id":1,"prediction":"a"},"b"]', '[1] has no id, and'],
] as const)('%s is refused with its place', async (name, content, message) => {
  await expect(rowsOf(name, content)).rejects.toThrow(message);
});

test("lm-evaluation-harness's samples of texts and of choices score what it says of them", async () => {
  const figures = async (rows: readonly JsonObject[], metrics: readonly string[]) => {
    await using rig = await openStageRig();
    await rig.writeRecords('responses', rows);
    await rig.run(
      { run },
      {
        config: fillDefaults(evaluateStage.schema, { metrics: [...metrics] }),
        inputs: { responses: 'responses' },
        outputs: { scores: 'scores' },
      },
    );
    const { metrics: scores } = JSON.parse(await readFile(rig.path('scores'), 'utf8'));
    return scores.map(({ value }: { value: number }) => value);
  };
  const mean = (values: readonly number[]) =>
    values.reduce((total, value) => total + value, 0) / values.length;
  const texts = await rowsOf('text.jsonl', jsonLines('', samples.made_up_text).content);
  expect(texts[0]).toEqual(
    answer('0', samples.made_up_text[0]?.filtered_resps[0] ?? '', {
      prompt: 'Question: Apple?\nAnswer:',
      expected: 'red',
      fields: { question: 'Apple?', answer: 'red', label: 0 },
    }),
  );
  expect(await figures(texts, ['exact_match'])).toEqual([
    mean(samples.made_up_text.map(({ exact_match }) => exact_match)),
  ]);
  const choices = await rowsOf('choice.jsonl', jsonLines('', samples.made_up_choice).content);
  expect(await figures(choices, ['accuracy', 'accuracy_per_character'])).toEqual([
    mean(samples.made_up_choice.map(({ acc }) => acc)),
    mean(samples.made_up_choice.map(({ acc_norm }) => acc_norm)),
  ]);
});

test('samples of two filters, and of several texts, are refused', async () => {
  const [sample] = samples.made_up_text;
  await expect(
    rowsOf('two.jsonl', jsonLines('', [sample, { ...sample, filter: 'strict' }]).content),
  ).rejects.toMatchObject({
    help: 'lm-evaluation-harness writes a line for each `filter` of a task: keep the lines of one',
  });
  await expect(
    rowsOf('many.jsonl', jsonLines('', [{ ...sample, filtered_resps: [['a', 'b']] }]).content),
  ).rejects.toThrow('must be one text, or a log-likelihood');
});

const task = json('snarks.json', {
  examples: [
    { input: 'I', target: '(A)' },
    { input: 'J', target: '(B)' },
  ],
});

test('BIG-Bench-Hard is exact match of the answers in their order, or by their ids', async () => {
  const answers = ['(A)', 'Hmm. So the answer is (A).'];
  const bare = json('p.json', answers);
  const keyed = jsonLines('p.jsonl', [
    { id: '1', prediction: answers[1] },
    { id: '0', prediction: answers[0] },
  ]);
  for (const predictions of [bare, keyed])
    expect(valuesOf(await score('bbh', { data: task, predictions }))).toEqual({ accuracy: 50 });
});

test.each([
  [
    'another number of answers',
    json('p.json', ['(A)']),
    'p.json holds 1 predictions without ids, and the data 2 questions',
  ],
  [
    'a missing answer',
    json('p.json', { 0: '(A)' }),
    'p.json: 1 of 2 items have no prediction; the first is 1',
  ],
  ['an unknown question', json('p.json', { 0: '', 1: '', 2: '' }), 'p.json: 2: the data has no item 2'],
  [
    'an answer to another question',
    json('p.json', [
      { prediction: '(A)', target: '(B)' },
      { prediction: '(A)', target: '(B)' },
    ]),
    'answers another question: its target is "(B)", and that of 0 is "(A)"',
  ],
])('for BIG-Bench-Hard, %s is refused', async (_, predictions, message) => {
  await expect(score('bbh', { data: task, predictions })).rejects.toThrow(message);
});

const squad = json('dev.json', {
  data: [{ paragraphs: [{ context: 'C', qas: [{ id: 'q', answers: [{ text: 'Paris' }] }] }] }],
});

test('data that is not there is refused', async () => {
  const path = join(folder, 'nowhere');
  await expect(score('bbh', { data: path, predictions: json('p.json', []) })).rejects.toMatchObject({
    name: 'UserError',
    message: `${path}: there is no such file or folder`,
  });
});

test("SQuAD's answers may come from any of these files", async () => {
  for (const predictions of [
    json('p.json', { q: 'paris' }),
    jsonLines('p.jsonl', [{ id: 'q', prediction: 'paris' }]),
    json('p.json', ['paris']),
    { name: 'p.csv', content: 'question_id,answer\nq,paris\n' },
  ])
    expect(valuesOf(await score('squad', { data: squad, predictions }))).toEqual({ exact: 100, f1: 100 });
});
