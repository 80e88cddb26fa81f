import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTasks } from '../../../src/benchmarks/index.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { loadStage } from '../../../src/stages/load/load-stage.ts';
import * as code from '../../../src/stages/load/run-load.ts';
import { openStageRig, type StageRig } from '../stage-rig.ts';

const task = {
  task: 'facts',
  dataset_path: 'facts',
  test_split: 'test',
  doc_to_text: '{{q}}',
  doc_to_target: 'a',
};

/** Files of tasks, as JSON or as text. */
async function writeTasks(rig: StageRig, files: Readonly<Record<string, Json>>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const path = rig.path(join('tasks', name));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return rig.path('tasks');
}

/** What is wrong with the tasks, without the path of their folder. */
async function problemsOf(files: Readonly<Record<string, Json>>, tasks?: readonly string[]): Promise<string> {
  await using rig = await openStageRig();
  const path = await writeTasks(rig, files);
  const error: unknown = await openTasks({ path, tasks, shots: undefined }).catch((cause) => cause);
  return error instanceof Error ? error.message.replaceAll(path, 'tasks') : 'nothing';
}

/** Loads the questions of tasks with the rows of splits. */
async function load(
  files: Readonly<Record<string, Json>>,
  { rows, ...config }: JsonObject & { readonly rows: Readonly<Record<string, readonly Json[]>> },
): Promise<{ records: readonly JsonObject[]; notes: readonly string[] }> {
  await using rig = await openStageRig();
  const records = await writeTasks(rig, files);
  for (const [name, own] of Object.entries(rows)) {
    await mkdir(dirname(rig.path(join('data', name))), { recursive: true });
    await writeFile(rig.path(join('data', name)), own.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }
  const given = { records, as: 'lm_eval', data: rig.path('data'), ...config };
  await rig.run(code, { config: fillDefaults(loadStage.schema, given), outputs: { records: 'out' } });
  const notes = rig.reports.flatMap((report) => (report.type === 'note' ? [report.message] : []));
  return { records: (await rig.readRecords('out')) as JsonObject[], notes };
}

const rows = {
  'test.jsonl': [
    { q: 'One?', a: '1' },
    { q: 'Two?', a: '2' },
  ],
};

describe('what is wrong with tasks is said before anything runs', () => {
  it('names Python code, unknown fields and bad values with their lines, all together', async () => {
    const source = [
      'task: facts',
      'dataset_path: facts',
      'process_docs: !function utils.clean',
      'doc_to_text: "{{q"',
      'doc_to_target: !function utils.target',
      'test_spilt: test',
      'output_type: multiple_choice',
      'doc_to_choice: [yes, no]',
      'num_fewshot: many',
      'metric_list:',
      '  - metric: rouge',
      '  - { metric: acc, aggregation: f1 }',
      'filter_list:',
      '  - name: last',
      '    filter:',
      '      - { function: regex, regex_pattern: "(a", group: 1 }',
      'generation_kwargs: { num_beams: 4, stop_strings: [x] }',
      'fewshot_config: { sampler: balanced, fewshot_indices: [1] }',
    ].join('\n');
    expect(await problemsOf({ 'facts.yaml': source })).toMatchInlineSnapshot(`
      "the tasks of tasks cannot be run:
        facts.yaml:3: \`process_docs\` (\`!function utils.clean\`) is Python code, which tuneloom does not run
        facts.yaml:4: \`doc_to_text\`: the template "{{q" does not parse: unexpected end of template, expected the end of the tag
        facts.yaml:5: \`doc_to_target\` needs the Python function \`utils.target\`, which tuneloom does not run
        facts.yaml:6: tasks have no field \`test_spilt\`: did you mean \`test_split\`?
        facts.yaml:8: the choice true is no text: put it in quotation marks (\`yes\`, \`no\`, \`on\` and \`off\` are booleans in YAML 1.1)
        facts.yaml:9: \`num_fewshot\` must be a whole number of at least 0, but is "many"
        facts.yaml:11: the metric \`rouge\` with \`output_type: multiple_choice\` is not supported: there are acc, acc_norm, acc_bytes, exact_match, f1, mcc, brier_score
        facts.yaml:12: \`aggregation\` must be one of mean, nanmean, median, perplexity, but is "f1"
        facts.yaml:14: the filters must end with \`take_first\`, which leaves one answer to score
        facts.yaml:16: the filter \`regex\` has no option \`group\`
        facts.yaml:16: the filter \`regex\`: the regular expression "(a" does not parse: a group has no end
        facts.yaml:17: \`num_beams: 4\` is not supported: answers are written without beams
        facts.yaml:17: \`stop_strings\` of \`generation_kwargs\` is not supported
        facts.yaml:18: \`fewshot_indices\` has no effect in lm-evaluation-harness; list the examples as \`samples\`
        facts.yaml:18: \`sampler\` must be one of default, first_n, but is "balanced""
    `);
  });

  it('says what a task lacks', async () => {
    const { test_split: _, ...without } = task;
    expect(
      await problemsOf({ 'a.yaml': { ...without, output_type: 'multiple_choice' } }),
    ).toMatchInlineSnapshot(`
      "the tasks of tasks cannot be run:
        a.yaml:1: \`output_type: multiple_choice\` needs \`doc_to_choice\`
        a.yaml:1: the task has neither \`test_split\` nor \`validation_split\`"
    `);
  });

  it.each([
    ['a file that is no YAML', { 'a.yaml': 'task: [' }, ['a']],
    ['a key that comes twice', { 'a.yaml': 'task: a\ntask: b' }, ['a']],
    ['a name that is not there', { 'a.yaml': task }, ['fact']],
    ['what lies outside the folder', { 'a.yaml': { task: 'a', include: '../../b.yaml' } }, undefined],
    ['a file that includes itself', { 'a.yaml': { task: 'a', include: 'a.yaml' } }, undefined],
    ['a group that contains itself', { 'a.yaml': { group: 'a', task: ['a'] } }, ['a']],
    ['a member that is not there', { 'a.yaml': { group: 'a', task: ['b'] } }, ['a']],
    [
      'a task that two groups change differently',
      {
        'a.yaml': { group: 'a', task: ['facts'], num_fewshot: 1 },
        'b.yaml': { group: 'b', task: ['facts'], num_fewshot: 2 },
        'c.yaml': task,
      },
      ['a', 'b'],
    ],
  ])('refuses %s', async (_, files: Readonly<Record<string, Json>>, tasks) => {
    expect(await problemsOf(files, tasks)).toMatchSnapshot();
  });
});

describe('tasks are put together as in lm-evaluation-harness', () => {
  it('lets a file override what it includes, and a group the fields of its tasks', async () => {
    const files = {
      'base/_template': {
        ...task,
        task: undefined as unknown as Json,
        description: 'Base.\n',
        target_delimiter: '-',
      },
      'one.yaml': { include: 'base/_template', task: 'one', tag: ['both'], description: 'Own.\n' },
      'two.yaml': { include: 'base/_template', task: 'two', tag: 'both' },
      'group.yaml': { group: 'all', task: ['both', { task: 'two', description: 'Ours.\n' }] },
      'more.yaml': { group: 'more', task: [{ group: 'inner', task: ['one'] }], gen_prefix: 'So' },
    };
    const contexts = async (tasks: readonly string[]) =>
      (await load(files, { rows, tasks })).records.map(({ id, context }) => [id, context]);
    expect(await contexts(['both'])).toEqual([
      ['one/0', 'Own.\nOne?'],
      ['one/1', 'Own.\nTwo?'],
      ['two/0', 'Base.\nOne?'],
      ['two/1', 'Base.\nTwo?'],
    ]);
    expect(await contexts(['more'])).toEqual([
      ['one/0', 'Own.\nOne?-So'],
      ['one/1', 'Own.\nTwo?-So'],
    ]);
  });

  it('notes what changes nothing', async () => {
    const files = {
      'a.yaml': {
        ...task,
        num_fewshot: 0,
        should_decontaminate: true,
        dataset_kwargs: { trust_remote_code: true },
      },
    };
    const { notes } = await load(files, { rows, num_fewshot: 3 });
    expect(notes).toMatchInlineSnapshot(`
      [
        "\`should_decontaminate\` and its query change nothing, as in lm-evaluation-harness",
        "\`dataset_kwargs\` is not heeded: the rows are those of \`data\`",
        "\`num_fewshot: 0\` of the task stays: its questions are asked without examples",
      ]
    `);
  });
});

describe('rows come from the declared files alone', () => {
  const dataset = {
    'a.yaml': { ...task, dataset_name: 'easy' },
    'b.yaml': { ...task, task: 'more', dataset_path: 'org/more' },
  };

  it('takes those of the dataset, its name and the split', async () => {
    const own = {
      'easy/test-00000-of-00001.jsonl': rows['test.jsonl'],
      'org/more/test.jsonl': [{ q: 'Three?', a: 3 }],
    };
    const { records } = await load(dataset, { rows: own });
    expect(records.map(({ id, context, target }) => [id, context, target])).toEqual([
      ['facts/0', 'One?', '1'],
      ['facts/1', 'Two?', '2'],
      ['more/0', 'Three?', '3'],
    ]);
  });

  it.each([
    ['a split that is not there', { 'train.jsonl': rows['test.jsonl'] }],
    ['two files for a split', { ...rows, 'test.json': rows['test.jsonl'] }],
  ])('refuses %s', async (_, own: Readonly<Record<string, readonly Json[]>>) => {
    const error: unknown = await load({ 'a.yaml': task }, { rows: own }).catch((cause) => cause);
    expect(String(error).replaceAll(/\S*\/data\b/g, 'data')).toMatchSnapshot();
  });

  it('refuses rows that a template does not fit, with their lines', async () => {
    const own = {
      'test.jsonl': [
        { q: 'One?', a: '1' },
        { q: 2, a: ['x'] },
      ],
    };
    const error: unknown = await load({ 'a.yaml': task }, { rows: own }).catch((cause) => cause);
    expect(error).toMatchObject({
      code: 'mixed-targets',
      message: '1 of 2 records of the task `facts` cannot be asked',
      records: [{ id: 'facts/1', place: { line: 2 } }],
    });
  });

  it('counts a target that is no choice as wrong, and refuses a split without labels', async () => {
    const choice = { ...task, output_type: 'multiple_choice', doc_to_choice: ['1', '2'] };
    const some = {
      'test.jsonl': [
        { q: 'One?', a: 0 },
        { q: 'Two?', a: -1 },
      ],
    };
    const { records, notes } = await load({ 'a.yaml': choice }, { rows: some });
    expect(records.map(({ gold }) => gold)).toEqual([[0], [-100]]);
    expect(notes).toEqual([
      '1 of 2 questions of `facts` have a target that is none of their choices: they count as wrong, as in lm-evaluation-harness',
    ]);
    const none = { 'test.jsonl': [{ q: 'One?', a: -1 }] };
    await expect(load({ 'a.yaml': choice }, { rows: none })).rejects.toMatchObject({ code: 'no-labels' });
  });
});
