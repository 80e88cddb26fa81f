import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchmarkName } from '../../../src/benchmarks/benchmark.ts';
import type { Json } from '../../../src/core/json.ts';
import { readBenchmark } from '../../../src/stages/load/read-records.ts';

const real = fileURLToPath(new URL('../../../../shared/data', import.meta.url));
const hasReal = existsSync(real);
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'benchmarks-'));
});
afterAll(() => rm(root, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

interface Selection {
  readonly split?: string;
  readonly tasks?: readonly string[];
  readonly limit?: number;
}

async function read(name: BenchmarkName, records: string, selection: Selection = {}) {
  const found: { id: string; line: number | undefined; [field: string]: Json | undefined }[] = [];
  const { tasks, ...rest } = selection;
  for await (const { record, place } of readBenchmark(name, {
    records,
    ...rest,
    ...(tasks === undefined ? {} : { tasks: [...tasks] }),
  } as Parameters<typeof readBenchmark>[1]))
    found.push({ ...record, line: place?.line });
  return found;
}

test('MMLU is read in both layouts, to the same records', async () => {
  const question = '"Which, of these?",one,"two ""2""",three,four';
  await write('letters/test/virology_test.csv', `${question},C\nNext?,a,b,c,d,A\n`);
  await write(
    'numbers/virology_test.csv',
    `question,choice0,choice1,choice2,choice3,answer\n${question},2\nNext?,a,b,c,d,0\n`,
  );
  const letters = await read('mmlu', join(root, 'letters'));
  expect(letters).toEqual([
    {
      id: 'virology/test/0',
      question: 'Which, of these?',
      choices: ['one', 'two "2"', 'three', 'four'],
      answer: 2,
      subject: 'virology',
      category: 'other (business, health, misc.)',
      line: 1,
    },
    expect.objectContaining({ id: 'virology/test/1', answer: 0, line: 2 }),
  ]);
  const numbers = await read('mmlu', join(root, 'numbers'));
  expect(numbers.map((row) => ({ ...row, line: Number(row.line) - 1 }))).toEqual(letters);
});

test('GLUE is read from its folders, each task with its label, and from one file', async () => {
  await write('glue/CoLA/dev.tsv', 'gj04\t1\t\tIt works.\ngj04\t0\t*\tIt work "s.\n');
  const header = 'index\tpromptID\tsentence1\tsentence2\tgold_label\n';
  await write('glue/MNLI/dev_matched.tsv', `${header}0\t1\tA.\tB.\tneutral\n`);
  await write('glue/MNLI/dev_mismatched.tsv', `${header}0\t1\tC.\tD.\tentailment\n`);
  await write('glue/RTE/train.tsv', 'index\tsentence1\tsentence2\tlabel\n7\tA.\tB.\tentailment\n');
  const rows = await read('glue', join(root, 'glue'));
  expect(rows.map(({ id, task, label, line }) => [id, task, label, line])).toEqual([
    ['cola/0', 'cola', '1', 1],
    ['cola/1', 'cola', '0', 2],
    ['mnli/0', 'mnli', 'neutral', 2],
    ['mnli-mismatched/0', 'mnli-mismatched', 'entailment', 2],
  ]);
  expect(await read('glue', join(root, 'glue'), { split: 'train', tasks: ['rte'] })).toMatchObject([
    { id: 'rte/0', sentence1: 'A.', sentence2: 'B.', label: 'entailment' },
  ]);
  expect(await read('glue', join(root, 'glue/CoLA/dev.tsv'), { tasks: ['cola'] })).toEqual(rows.slice(0, 2));
});

test('SuperGLUE is read a row an answer for MultiRC, a row a query for ReCoRD, with the entities of its passage', async () => {
  const passage = {
    text: 'Ána met Bo.',
    entities: [
      { start: 0, end: 2 },
      { start: 8, end: 9 },
    ],
  };
  const qas = [
    { idx: 4, query: 'Whom did @placeholder meet?', answers: [{ start: 0, end: 2, text: 'Ána' }] },
  ];
  await write('superglue/ReCoRD/val.jsonl', `${JSON.stringify({ idx: 1, passage, qas })}\n`);
  const answers = [
    { idx: 0, text: 'yes', label: 1 },
    { idx: 1, text: 'no', label: 0 },
  ];
  const questions = [{ idx: 2, question: 'So?', answers }];
  await write(
    'superglue/MultiRC/val.jsonl',
    `${JSON.stringify({ idx: 3, passage: { text: 'P.', questions } })}\n`,
  );
  await write('superglue/BoolQ/val.jsonl', '{"question":"is it","passage":"P.","label":true,"idx":9}\n');
  expect(await read('superglue', join(root, 'superglue'))).toEqual([
    { id: 'boolq/9', question: 'is it', passage: 'P.', label: 'true', idx: 9, task: 'boolq', line: 1 },
    ...answers.map(({ idx, text, label }) => ({
      id: `multirc/3/2/${idx}`,
      task: 'multirc',
      paragraph: 'P.',
      question: 'So?',
      answer: text,
      label: String(label),
      question_id: '3/2',
      line: 1,
    })),
    {
      id: 'record/4',
      task: 'record',
      passage: 'Ána met Bo.',
      query: 'Whom did @placeholder meet?',
      entities: ['Bo', 'Ána'],
      answers: ['Ána'],
      line: 1,
    },
  ]);
});

test('BIG-bench tasks keep their settings for prompts, and BIG-Bench-Hard its chain-of-thought prompts', async () => {
  const examples = [
    { input: 'One?', target_scores: { a: 0, b: 1 } },
    { input: 'Two?', target: ['x', 'y'] },
  ];
  await write(
    'bigbench/made_up/task.json',
    // With a comma after the last item, as some published tasks have it.
    JSON.stringify({
      name: 'made_up',
      example_input_prefix: '\nInput: ',
      stop_string: '\n',
      examples,
    }).replace(/]}$/, ', ]}'),
  );
  const common = {
    task: 'made_up',
    append_choices_to_input: true,
    task_prefix: '',
    example_input_prefix: '\nInput: ',
    example_output_prefix: '\nA: ',
    choice_prefix: '\n  choice: ',
    few_shot_example_separator: '\n',
    stop_string: '\n',
    line: undefined,
  };
  expect(await read('bigbench', join(root, 'bigbench'))).toEqual([
    { id: 'made_up/0', ...common, input: 'One?', targets: [], choices: ['a', 'b'], choice_scores: [0, 1] },
    { id: 'made_up/1', ...common, input: 'Two?', targets: ['x', 'y'] },
  ]);
  await write('bbh/bbh/snarks.json', JSON.stringify({ examples: [{ input: 'I', target: '(A)' }] }));
  await write('bbh/cot-prompts/snarks.txt', 'A note.\n-----\nPick one.\n\nQ: J\nA: ...\n');
  expect(await read('bbh', join(root, 'bbh'))).toEqual([
    {
      id: 'snarks/0',
      task: 'snarks',
      input: 'I',
      target: '(A)',
      cot_prompt: 'Pick one.\n\nQ: J\nA: ...',
      line: undefined,
    },
  ]);
});

test("BIG-Bench-Hard's repository is read as it is cloned, without the answers of other models", async () => {
  const outputs = JSON.stringify({ outputs: [{ input: 'Q: I\nA:', prediction: '(A)', target: '(A)' }] });
  await write('clone/bbh/snarks.json', JSON.stringify({ examples: [{ input: 'I', target: '(A)' }] }));
  await write('clone/cot-prompts/snarks.txt', 'A note.\n-----\nPick one.\n');
  await write('clone/code-davinci-002-outputs/code-davinci-002-cot/snarks_0-255000.json', outputs);
  await write('clone/code-davinci-002-outputs/code-davinci-002-direct/snarks_0-255000.json', outputs);
  const rows = await read('bbh', join(root, 'clone'));
  expect(rows.map(({ id, cot_prompt }) => [id, cot_prompt])).toEqual([['snarks/0', 'Pick one.']]);
  await expect(read('bbh', join(root, 'clone/bbh'))).rejects.toMatchObject({
    code: 'no-worked-examples',
    message: `${join(root, 'clone/bbh')} holds no worked examples; they are in ${join(root, 'clone/cot-prompts')}`,
  });
});

test('the diagnostic sets of SuperGLUE are read where `tasks` names them', async () => {
  await write('sg/CB/val.jsonl', '{"idx": 0, "label": "neutral"}\n');
  await write('sg/AX-g/AX-g.jsonl', '{"idx": 0, "label": "entailment", "pair_id": 3}\n');
  await write('sg/AX-b/AX-b.jsonl', '{"idx": 7, "label": "not_entailment"}\n');
  const ids = async (tasks?: readonly string[]) =>
    (await read('superglue', join(root, 'sg'), tasks === undefined ? {} : { tasks })).map(({ id }) => id);
  expect(await ids()).toEqual(['cb/0']);
  expect(await ids(['axb', 'axg'])).toEqual(['axb/7', 'axg/0']);
});

test('an eval of a registry is followed from its name to its version, its samples and its grader', async () => {
  await write(
    'registry/evals/made-up.yaml',
    `made-up:
  id: made-up.dev.v0
made-up.dev.v0:
  class: evals.elsuite.modelgraded.classify:ModelBasedClassify
  args: { samples_jsonl: made-up/samples.jsonl, eval_type: cot_classify, modelgraded_spec: fair }
`,
  );
  await write('registry/modelgraded/fair.yaml', 'fair: { prompt: "{input}", choice_strings: "YN" }\n');
  await write('registry/data/made-up/samples.jsonl', gzipSync('{"input":"I","ideal":"J"}\n'));
  const registry = join(root, 'registry');
  expect(await read('openai_evals', registry, { tasks: ['made-up'] })).toEqual([
    {
      id: 'made-up/0',
      input: 'I',
      ideal: 'J',
      eval: 'made-up',
      template: 'model-graded',
      grader: { prompt: '{input}', choice_strings: 'YN', answer_prompt: 'cot_classify' },
      line: 1,
    },
  ]);
  await expect(read('openai_evals', registry, { tasks: ['made-upp'] })).rejects.toMatchObject({
    message: 'the benchmark has no task `made-upp`',
    help: 'did you mean `made-up`?',
  });
});

describe('what is wrong is told with its file and line', () => {
  test.each([
    ['mmlu', 'broken/a_test.csv', 'Q?,a,b,c,d,E\n', ':1: the answer is "E"; it must be a letter'],
    ['mmlu', 'ragged/a_test.csv', 'Q?,a,b,c,d,A\nQ?,a,A\n', ':2: the row has 3 values'],
    ['humaneval', 'h.jsonl', '{"task_id":"a"}\n', ':1 has no field `prompt`'],
    [
      'squad',
      's.json',
      '{"data":[{"paragraphs":[{"qas":[]}]}]}',
      'data[0].paragraphs[0] has no field `context`',
    ],
    ['arena', 'a.json', '[{"model_a":"a","model_b":"b"}]', '[0] has no field `winner`'],
  ] as const)('%s: %s', async (name, file, content, message) => {
    const path = await write(`faulty/${name}/${file}`, content);
    const isFolder = file.includes('/');
    await expect(read(name, isFolder ? dirname(path) : path)).rejects.toThrow(message);
  });
});

describe.runIf(hasReal)('the real files are read whole (they are not at ../shared/data otherwise)', () => {
  test.each([
    ['mmlu', 'mmlu', {}, 436, 'abstract_algebra/test/0'],
    ['mmlu', 'mmlu', { split: 'dev' }, 15, 'abstract_algebra/dev/0'],
    ['glue', 'glue', {}, 1915, 'cola/0'],
    ['superglue', 'superglue', {}, 439, 'cb/0'],
    ['bbh', 'bbh', {}, 750, 'boolean_expressions/0'],
    ['bigbench', 'bigbench', {}, 43, 'crass.ai/0'],
    ['squad', 'squad/xquad.es.json', {}, 1190, '56beb4343aeaaa14008c925b'],
    ['squad', 'squad/squad2.json', {}, 6, undefined],
    ['humaneval', 'humaneval/HumanEval.jsonl.gz', {}, 164, 'HumanEval/0'],
    ['alpaca_eval', 'alpaca_eval/outputs.json', {}, 805, 'alpaca_eval/0'],
    ['mt_bench', 'mt_bench/question.jsonl', {}, 80, '81'],
    ['triviaqa', 'triviaqa/triviaqa_sample.json', {}, 2, 'tc_33--Andrew_Lloyd_Webber.txt'],
  ] as const)('%s of %s', async (name, path, selection, count, first) => {
    const rows = await read(name, join(real, path), selection);
    expect({ count: rows.length, first: first === undefined ? first : rows[0]?.id }).toEqual({
      count,
      first,
    });
  });
});
