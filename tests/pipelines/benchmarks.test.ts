import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openShippedRig } from './shipped-pipeline.ts';

const real = fileURLToPath(new URL('../../../shared/data', import.meta.url));
const made = { sample: '{"input": "Say hi", "ideal": ["hi", "Hi"]}\n' };

/** For each benchmark its data, and a small number of its questions. */
const given: Readonly<
  Record<string, { readonly data: string; readonly limited: string; readonly limit: number }>
> = {
  mmlu: { data: 'mmlu', limited: 'questions', limit: 3 },
  helm: { data: 'mmlu', limited: 'questions', limit: 2 },
  glue: { data: 'glue', limited: 'questions', limit: 4 },
  superglue: { data: 'superglue', limited: 'questions', limit: 4 },
  bigbench: { data: 'bigbench', limited: 'questions', limit: 3 },
  bbh: { data: 'bbh', limited: 'questions', limit: 2 },
  'bbh-cot': { data: 'bbh', limited: 'questions', limit: 1 },
  squad: { data: 'squad/squad2.json', limited: 'questions', limit: 6 },
  triviaqa: { data: 'triviaqa/triviaqa_sample.json', limited: 'questions', limit: 2 },
};

/** One experiment that uses every benchmark as a stage. */
const experiment = (names: readonly string[]) => `
name: all-benchmarks
stages:
  model:
    uses: load
    with:
      init: { context_length: 256, width: 16, layers: 1, heads: 2, encoding: r50k_base }
${names
  .map((name) => {
    const shots = name === 'mmlu' || name === 'helm' ? ', fit_tokens: 200' : '';
    return `  ${name}:
    uses: ./benchmarks/${name}.yaml
    from: { model: model, tokenizer: model.tokenizer }
    with: { data: ${JSON.stringify(join(real, given[name]?.data ?? ''))}, batch_size: 2${shots} }`;
  })
  .join('\n')}
`;

test.runIf(existsSync(real))(
  'each benchmark runs as one stage of an experiment, on real rows (skipped without ../shared/data)',
  async () => {
    await using rig = await openShippedRig();
    const names = Object.keys(given);
    await rig.write('pipelines/all.yaml', experiment(names));
    const words = names.flatMap((name) => [
      '--set',
      `stages.${name}/${given[name]?.limited}.with.limit=${given[name]?.limit}`,
      ...(given[name]?.data.includes('mmlu') || name.includes('glue') || name === 'bigbench'
        ? []
        : ['--set', `stages.${name}/generate.with.max_new_tokens=2`]),
    ]);
    const ended = await rig.run('all', ...words);
    expect(ended.exitCode === 0 ? '' : ended.stdout + ended.stderr).toBe('');
    const figures = await Promise.all(
      names.map(async (name) => {
        const { metrics } = await rig.scores('all-benchmarks', `${name}/evaluate`);
        return [
          name,
          metrics.filter(({ of }) => of === undefined).map(({ metric, count }) => [metric, count]),
        ];
      }),
    );
    // Two questions, each unchanged and in eight perturbed forms; the worst answer to each counts.
    const robustness = (await rig.scores('all-benchmarks', 'helm/robustness')).metrics;
    expect(robustness.map(({ metric, of, count }) => [of ?? metric, count])).toEqual(
      expect.arrayContaining([
        ['accuracy', 18],
        ['none', 2],
        ['dialect', 2],
      ]),
    );
    expect(Object.fromEntries(figures)).toEqual({
      mmlu: [['accuracy', 3]],
      helm: [
        ['accuracy', 2],
        ['ece_10_bin', 2],
        ['ece_1_bin', 2],
        ['selective_accuracy_10', 2],
        ['selective_accuracy_area', 2],
      ],
      glue: [['glue_score', 1]],
      superglue: [['superglue_score', 1]],
      bigbench: [['multiple_choice_grade', 3]],
      bbh: [['bbh', 2]],
      'bbh-cot': [['bbh', 1]],
      squad: ['exact', 'f1', 'HasAns_exact', 'HasAns_f1', 'NoAns_exact', 'NoAns_f1'].map((metric) => [
        metric,
        expect.any(Number),
      ]),
      triviaqa: [
        ['exact_match', 2],
        ['f1', 2],
      ],
    });
  },
  120_000,
);

test('the other benchmarks run on made-up rows, and HumanEval is planned', async () => {
  await using rig = await openShippedRig();
  await rig.write('texts.jsonl', '{"text": "One two three."}\n{"text": "Four five six seven."}\n');
  await rig.write(
    'registry/evals/hi.yaml',
    'hi: { id: hi.v0 }\nhi.v0: { class: "evals.elsuite.basic.includes:Includes", args: { samples_jsonl: hi.jsonl } }\n',
  );
  await rig.write('registry/data/hi.jsonl', made.sample);
  const task = { name: 'made_up', examples: [{ input: 'One?', target: 'x' }] };
  await rig.write('task.json', JSON.stringify(task));
  await rig.write(
    'problems.jsonl',
    '{"task_id": "a", "prompt": "p", "entry_point": "f", "canonical_solution": "", "test": ""}\n',
  );
  const stage = (name: string, { tokenizer = true, settings }: { tokenizer?: boolean; settings: string }) =>
    `  ${name}: { uses: ./benchmarks/${name}.yaml, from: { model: model${tokenizer ? ', tokenizer: model.tokenizer' : ''} }, with: { ${settings} } }`;
  const model = `name: others
stages:
  model:
    uses: load
    with:
      init: { context_length: 64, width: 16, layers: 1, heads: 2, encoding: r50k_base }
`;
  const stages = [
    stage('perplexity', { settings: 'data: ../texts.jsonl, window: 3' }),
    stage('openai-evals', {
      tokenizer: false,
      settings: 'data: ../registry, evals: [hi], max_new_tokens: 2',
    }),
    stage('bigbench-text', { settings: 'data: ../task.json, batch_size: 1' }),
  ];
  await rig.write('pipelines/others.yaml', model + stages.join('\n'));
  const ended = await rig.run('others', '--set', 'stages.bigbench-text/generate.with.max_new_tokens=2');
  expect(ended.exitCode === 0 ? '' : ended.stdout + ended.stderr).toBe('');
  expect((await rig.scores('others', 'perplexity/evaluate')).metrics).toMatchObject([
    { metric: 'word_perplexity', count: 2 },
    { metric: 'byte_perplexity', count: 2 },
    { metric: 'bits_per_byte', count: 2 },
  ]);
  expect((await rig.scores('others', 'openai-evals/evaluate')).metrics[0]).toMatchObject({
    metric: 'openai_evals',
    count: 1,
  });
  await rig.write(
    'pipelines/programs.yaml',
    model + stage('humaneval', { settings: 'data: ../problems.jsonl' }),
  );
  expect(await rig.plan('programs')).toMatchObject({ exitCode: 0 });
  const shipped = await readdir(join(rig.folder, 'pipelines/benchmarks'));
  const tested = [...Object.keys(given), 'perplexity', 'openai-evals', 'bigbench-text', 'humaneval'];
  // Run in judged-benchmarks.test.ts.
  tested.push('humaneval-samples', 'openai-evals-graded', 'alpaca-eval', 'arena');
  expect(shipped.sort()).toEqual(tested.map((name) => `${name}.yaml`).sort());
});
