import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { openShippedRig } from './shipped-pipeline.ts';

const real = fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** The name and count of each figure over all questions. */
type Figures = readonly (readonly [metric: string, count: unknown])[];

interface RealTrial {
  /** Below ../shared/data. */
  readonly data: string;
  /** How many of its questions are asked. */
  readonly limit: number;
  /** More parameters of the pipeline. */
  readonly settings?: string;
  /** The model writes its answers, which are cut short. */
  readonly writes?: boolean;
  readonly figures: Figures;
}

const onRealRows: Readonly<Record<string, RealTrial>> = {
  mmlu: { data: 'mmlu', limit: 3, settings: 'fit_tokens: 200', figures: [['accuracy', 3]] },
  helm: {
    data: 'mmlu',
    limit: 2,
    settings: 'fit_tokens: 200',
    figures: [
      ['accuracy', 2],
      ['ece_10_bin', 2],
      ['ece_1_bin', 2],
      ['selective_accuracy_10', 2],
      ['selective_accuracy_area', 2],
    ],
  },
  glue: { data: 'glue', limit: 4, figures: [['glue_score', 1]] },
  superglue: { data: 'superglue', limit: 4, figures: [['superglue_score', 1]] },
  bigbench: { data: 'bigbench', limit: 3, figures: [['multiple_choice_grade', 3]] },
  bbh: { data: 'bbh', limit: 2, writes: true, figures: [['bbh', 2]] },
  'bbh-cot': { data: 'bbh', limit: 1, writes: true, figures: [['bbh', 1]] },
  squad: {
    data: 'squad/squad2.json',
    limit: 6,
    writes: true,
    figures: ['exact', 'f1', 'HasAns_exact', 'HasAns_f1', 'NoAns_exact', 'NoAns_f1'].map((metric) => [
      metric,
      expect.any(Number),
    ]),
  },
  triviaqa: {
    data: 'triviaqa/triviaqa_sample.json',
    limit: 2,
    writes: true,
    figures: [
      ['exact_match', 2],
      ['f1', 2],
    ],
  },
};

interface MadeTrial {
  /** Path -> content, in the benchmark's own layout. */
  readonly files: Readonly<Record<string, string>>;
  /** Parameters of the pipeline; paths begin with `../`. */
  readonly settings: string;
  /** The inputs that the pipeline takes; model and tokenizer if absent. */
  readonly inputs?: readonly ('model' | 'tokenizer')[];
  /** More `--set`, each below the pipeline. */
  readonly set?: readonly string[];
  readonly figures: Figures;
  /** What the first response says of its question: its id, prompt, right answer and choices. */
  readonly first?: Readonly<Record<string, Json>>;
}

const onMadeRows: Readonly<Record<string, MadeTrial>> = {
  perplexity: {
    files: { 'texts.jsonl': '{"text": "One two three."}\n{"text": "Four five six seven."}\n' },
    settings: 'data: ../texts.jsonl, window: 3',
    figures: [
      ['word_perplexity', 2],
      ['byte_perplexity', 2],
      ['bits_per_byte', 2],
    ],
  },
  'openai-evals': {
    files: {
      'registry/evals/hi.yaml':
        'hi: { id: hi.v0 }\nhi.v0: { class: "evals.elsuite.basic.includes:Includes", args: { samples_jsonl: hi.jsonl } }\n',
      'registry/data/hi.jsonl': '{"input": "Say hi", "ideal": ["hi", "Hi"]}\n',
    },
    settings: 'data: ../registry, evals: [hi], max_new_tokens: 2',
    inputs: ['model'],
    figures: [['openai_evals', 1]],
    first: { id: 'hi/0', prompt: 'Say hi', expected: 'hi' },
  },
  'lm-eval': {
    files: {
      'tasks/animals.yaml': [
        'task: animals',
        'dataset_path: animals',
        'test_split: test',
        'output_type: multiple_choice',
        'doc_to_text: "{{animal}} has"',
        'doc_to_choice: [fins, wings]',
        'doc_to_target: label',
      ].join('\n'),
      'animals/test.jsonl': '{"animal": "A cod", "label": 0}\n{"animal": "A jay", "label": 1}\n',
    },
    settings: 'records: ../tasks/animals.yaml, tasks: [animals], data: ../animals',
    inputs: ['model'],
    figures: [
      ['acc', 2],
      ['acc_norm', 2],
    ],
    first: { id: 'animals/0', prompt: 'A cod has', expected: 'fins' },
  },
  'bigbench-text': {
    files: {
      'task.json': JSON.stringify({ name: 'made_up', examples: [{ input: 'One?', target: 'x' }] }),
    },
    settings: 'data: ../task.json, batch_size: 1',
    set: ['generate.with.max_new_tokens=2'],
    figures: [['exact_str_match', 1]],
    first: { id: 'made_up/0', prompt: '\nQ: One?\nA:', expected: 'x' },
  },
};

/** Those with programs or judges. */
const inJudgedBenchmarksTest = [
  'humaneval',
  'humaneval-samples',
  'openai-evals-graded',
  'alpaca-eval',
  'arena',
];

test('every pipeline of a benchmark is run by a test', async () => {
  const tested = [...Object.keys(onRealRows), ...Object.keys(onMadeRows), ...inJudgedBenchmarksTest];
  const shipped = await readdir(new URL('../../pipelines/benchmarks', import.meta.url));
  const untested = shipped.filter((file) => !tested.includes(file.replace(/\.yaml$/, '')));
  expect(untested, 'pipelines without an entry in onMadeRows or onRealRows').toEqual([]);
});

interface Use {
  readonly settings: string;
  readonly inputs?: readonly ('model' | 'tokenizer')[];
}

/** One experiment that uses each of these benchmarks as a stage. */
function experiment(name: string, uses: Readonly<Record<string, Use>>): string {
  const stages = Object.entries(uses).map(([benchmark, { settings, inputs = ['model', 'tokenizer'] }]) => {
    const from = inputs.map((input) => `${input}: model${input === 'model' ? '' : `.${input}`}`).join(', ');
    return `  ${benchmark}: { uses: ./benchmarks/${benchmark}.yaml, from: { ${from} }, with: { ${settings} } }`;
  });
  return `name: ${name}
stages:
  model:
    uses: load
    with:
      init: { context_length: 256, width: 16, layers: 1, heads: 2, encoding: r50k_base }
${stages.join('\n')}
`;
}

const mapped = <From, To>(of: Readonly<Record<string, From>>, change: (one: From) => To) =>
  Object.fromEntries(Object.entries(of).map(([name, one]) => [name, change(one)]));

const setIn = (benchmark: string, assignments: readonly string[]) =>
  assignments.flatMap((assignment) => ['--set', `stages.${benchmark}/${assignment}`]);

type Rig = Awaited<ReturnType<typeof openShippedRig>>;

async function figuresOf(rig: Rig, pipeline: string, names: readonly string[]) {
  const found = names.map(async (name) => {
    const { metrics } = await rig.scores(pipeline, `${name}/evaluate`);
    return [name, metrics.filter(({ of }) => of === undefined).map(({ metric, count }) => [metric, count])];
  });
  return Object.fromEntries(await Promise.all(found));
}

test.runIf(existsSync(real))(
  'each benchmark runs as one stage of an experiment, on real rows (skipped without ../shared/data)',
  async () => {
    await using rig = await openShippedRig();
    const uses = mapped(onRealRows, ({ data, settings }) => ({
      settings: [`data: ${JSON.stringify(join(real, data))}, batch_size: 2`, settings ?? []]
        .flat()
        .join(', '),
    }));
    await rig.write('pipelines/real.yaml', experiment('real', uses));
    const changes = Object.entries(onRealRows).flatMap(([name, { limit, writes = false }]) =>
      setIn(name, [`questions.with.limit=${limit}`, ...(writes ? ['generate.with.max_new_tokens=2'] : [])]),
    );
    const ended = await rig.run('real', ...changes);
    expect(ended.exitCode === 0 ? '' : ended.stdout + ended.stderr).toBe('');
    expect(await figuresOf(rig, 'real', Object.keys(onRealRows))).toEqual(
      mapped(onRealRows, ({ figures }) => figures),
    );
    // Two questions, each unchanged and in eight perturbed forms; the worst answer to each counts.
    const robustness = (await rig.scores('real', 'helm/robustness')).metrics;
    expect(robustness.map(({ metric, of, count }) => [of ?? metric, count])).toEqual(
      expect.arrayContaining([
        ['accuracy', 18],
        ['none', 2],
        ['dialect', 2],
      ]),
    );
  },
  120_000,
);

test('each benchmark runs on made-up rows, and asks its questions as published', async () => {
  await using rig = await openShippedRig();
  for (const { files } of Object.values(onMadeRows))
    for (const [path, content] of Object.entries(files)) await rig.write(path, content);
  await rig.write('pipelines/made.yaml', experiment('made', onMadeRows));
  const changes = Object.entries(onMadeRows).flatMap(([name, { set = [] }]) => setIn(name, set));
  const ended = await rig.run('made', ...changes);
  expect(ended.exitCode === 0 ? '' : ended.stdout + ended.stderr).toBe('');
  expect(await figuresOf(rig, 'made', Object.keys(onMadeRows))).toEqual(
    mapped(onMadeRows, ({ figures }) => figures),
  );
  for (const [name, { first }] of Object.entries(onMadeRows))
    if (first !== undefined)
      expect({ [name]: (await rig.rows('made', `${name}/generate/responses`))[0] }).toMatchObject({
        [name]: first,
      });
});

test('HumanEval is planned', async () => {
  await using rig = await openShippedRig();
  await rig.write(
    'problems.jsonl',
    '{"task_id": "a", "prompt": "p", "entry_point": "f", "canonical_solution": "", "test": ""}\n',
  );
  const uses = { humaneval: { settings: 'data: ../problems.jsonl' } };
  await rig.write('pipelines/programs.yaml', experiment('programs', uses));
  expect(await rig.plan('programs')).toMatchObject({ exitCode: 0 });
});
