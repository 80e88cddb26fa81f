import { describe, expect, test } from 'vitest';
import type { BenchmarkTemplateName } from '../../src/benchmarks/benchmark.ts';
import { benchmarkTemplate } from '../../src/benchmarks/benchmarks.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { tokenBudget, withShots } from '../../src/stages/format/example-format.ts';
import { openEncoding } from '../../src/text/tokenizer/encoding-tokenizer.ts';
import cases from '../fixtures/benchmarks/prompts.json' with { type: 'json' };

interface PromptCase {
  readonly template: string;
  readonly row: JsonObject;
  readonly shots?: readonly JsonObject[];
  readonly context: string;
  readonly delimiter: string;
  readonly choices?: readonly string[];
  readonly target: string;
}

const given: readonly PromptCase[] = cases as never; // rows of many shapes

function written({ template: name, row, shots = [] }: Pick<PromptCase, 'template' | 'row' | 'shots'>) {
  const template = benchmarkTemplate(name as BenchmarkTemplateName);
  const example = template.write(row);
  const prompt = withShots({ template, row, example, shots: shots.map(template.write), fits: () => true });
  const textOf = (role: string) => prompt.segments.find((segment) => segment.role === role)?.text ?? '';
  return {
    context: textOf('prompt'),
    delimiter: textOf('header'),
    target: textOf('response'),
    ...(prompt.choices && { choices: prompt.choices }),
  };
}

describe('prompts, choices and answers are those of the published scripts', () => {
  test.each(given.map((one) => [one.template, one.row.task ?? one.shots?.length ?? '', one] as const))(
    '%s %s',
    (_template, _task, { template, row, shots, ...expected }) => {
      expect(written({ template, row, ...(shots && { shots }) })).toEqual(expected);
    },
  );
});

test('a BIG-bench task is written with its own settings for prompts', () => {
  const row = {
    task: 'made_up',
    task_prefix: 'Answer.\n',
    example_input_prefix: '\nQ: ',
    example_output_prefix: '\nA: ',
    choice_prefix: '\n  choice: ',
    few_shot_example_separator: '\n',
    append_choices_to_input: true,
    targets: [],
    choices: ['yes', 'no'],
    choice_scores: [0, 1],
  };
  expect(
    written({ template: 'bigbench', row: { ...row, input: 'Two?' }, shots: [{ ...row, input: 'One?' }] }),
  ).toEqual({
    context:
      'Answer.\n\nQ: One?\n  choice: yes\n  choice: no\nA: no\n\nQ: Two?\n  choice: yes\n  choice: no\nA:',
    delimiter: ' ',
    target: 'no',
    choices: ['yes', 'no'],
  });
});

test('BIG-Bench-Hard shows its worked examples, or their answers alone', () => {
  const cot_prompt =
    "Pick one.\n\nQ: One?\nA: Let's think step by step.\nIt is (A). So the answer is (A).\n\nQ: Two?\nA: Let's think step by step.\nNo.\nSo the answer is (B).";
  const row = { task: 'snarks', input: 'Three?', target: '(C)', cot_prompt };
  expect(written({ template: 'bbh', row }).context).toBe(
    'Pick one.\n\nQ: One?\nA: (A)\n\nQ: Two?\nA: (B)\n\nQ: Three?\nA:',
  );
  expect(written({ template: 'bbh-cot', row }).context).toBe(
    `${cot_prompt}\n\nQ: Three?\nA: Let's think step by step.`,
  );
});

test.each([
  ['date_understanding', 'Options:\n(B) 01/03/1963\nA:', 'Options:\n(B) 01/03/1961\nA:'],
  ['snarks', 'Which?\n\nAccording to a dictionary, ha.', 'Which?'],
  [
    'tracking_shuffled_objects_three_objects',
    'Finally, Bob and Alice switch partners. At the end of the dance, Alice',
    'Finally, Bob and Alice switch partners. At the end of thehg sy dance, Alice',
  ],
])('the published direct prompt of %s differs from its worked examples', (task, worked, direct) => {
  const row = { task, input: 'I', target: 'T', cot_prompt: worked };
  expect(written({ template: 'bbh', row }).context).toBe(`${direct}\n\nQ: I\nA:`);
  expect(written({ template: 'bbh-cot', row }).context.startsWith(worked)).toBe(true);
});

test('the last shots are left out until the prompt fits with its longest choice', () => {
  const template = benchmarkTemplate('mmlu');
  const row = (question: string) => ({ question, choices: ['a', 'b', 'c', 'd'], answer: 0, subject: 's' });
  const shots = ['One?', 'Two?', 'Three?'].map((question) => template.write(row(question)));
  const example = template.write(row('Four?'));
  const whole = withShots({ template, row: row('Four?'), example, shots, fits: () => true });
  const limit = (whole.segments[0]?.text.length ?? 0) + 1;
  const shotsThatFit = (most: number) =>
    withShots({
      template,
      row: row('Four?'),
      example,
      shots,
      fits: (pieces) => pieces.join('').length <= most,
    }).shots;
  // ' A' follows the prompt.
  expect([shotsThatFit(limit + 1), shotsThatFit(limit), shotsThatFit(limit - 30), shotsThatFit(1)]).toEqual([
    3, 2, 2, 0,
  ]);
});

test('a token budget is exact at its limit, however the text is tokenized', async () => {
  const { encode } = await openEncoding('r50k_base');
  const pieces = ['The cat', ' sat', 'urated the mar', 'ket.\n\n', '\nIt is over'];
  const { length } = encode(pieces.join(''));
  const fits = (most: number) => tokenBudget({ encode }, most)(pieces);
  expect([fits(1), fits(length - 1), fits(length), fits(length + 100)]).toEqual([false, false, true, true]);
});
