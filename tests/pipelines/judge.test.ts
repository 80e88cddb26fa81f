import { expect, test } from 'vitest';
import { openEndpoint, say } from '../stages/generate/endpoint/loopback-endpoint.ts';
import { openShippedRig } from './shipped-pipeline.ts';

const alpaca =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.';

test("the judge gets the reference experiment's prompt, and its marks become the score", async () => {
  await using endpoint = await openEndpoint((received, response) =>
    say(response, received.prompt.includes('300 metres') ? 'Far too little!' : ' 85\n'),
  );
  await using rig = await openShippedRig();
  const ended = await rig.run('judge', '-p', `base_url=${endpoint.baseUrl}`, '-p', 'judge=openai:tiny');
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(endpoint.received.find(({ prompt }) => prompt.includes('gardener'))).toEqual({
    path: '/v1/chat/completions',
    authorization: undefined,
    body: {
      model: 'tiny',
      messages: [{ role: 'user', content: expect.any(String) }],
      temperature: 0,
      top_p: 1,
      seed: 123,
      max_tokens: 32,
    },
    prompt:
      `Given the input \`${alpaca}\n\n### Instruction:\nRewrite the sentence in the passive voice.\n\n` +
      '### Input:\nThe gardener waters the roses.` and correct output `The roses are watered by the gardener.`, ' +
      'score the model response `The roses are watered by the gardener.` on a scale from 0 to 100, where 100 is ' +
      'the best score. Respond with the integer number only.',
  });
  expect(endpoint.received.map(({ prompt }) => prompt)).toContainEqual(
    expect.stringContaining('### Instruction:\nName three primary colours.` and correct output'),
  );
  const { metrics, records } = await rig.scores('judge', 'evaluate');
  const ids = (records ?? []).map(({ id }) => id);
  expect(metrics).toEqual([
    {
      metric: 'judge_score',
      value: expect.closeTo(170 / 3, 12), // 85, 85, and 0 for the empty answer
      higher_is_better: true,
      count: 3,
      standard_error: expect.closeTo(85 / 3, 12),
      left_out: {
        count: 1,
        reason: 'the judge did not answer with an integer from 0 to 100',
        ids: [ids[2]],
      },
    },
  ]);
});

test('an unreachable judge is a failure that names its address', async () => {
  const closed = await openEndpoint(() => undefined);
  await closed[Symbol.asyncDispose]();
  await using rig = await openShippedRig();
  const ended = await rig.run(
    'judge',
    '-p',
    `base_url=${closed.baseUrl}`,
    '--set',
    'stages.generate.with.endpoint.retries=0',
  );
  expect(ended.exitCode).toBe(1);
  expect(ended.stdout + ended.stderr).toContain(`${closed.baseUrl} refused the connection`);
});

const judged = (judge: string) => `name: judged
stages:
  model:
    uses: load
    with: { init: { context_length: 512, width: 16, layers: 1, heads: 2, encoding: r50k_base } }
  other:
    uses: load
    with: { init: { context_length: 512, width: 16, layers: 1, heads: 2, encoding: r50k_base, seed: 1 } }
  load:
    with: { records: judge/responses.json, limit: 2 }
  format:
    from: load
    with: { template: alpaca }
  answers:
    uses: generate
    from: { model: model, prompts: format }
    with: { max_new_tokens: 4 }
  other-answers:
    uses: generate
    from: { model: other, prompts: format }
    with: { max_new_tokens: 4 }
  judge:
    uses: load
    with: ${judge}
  rating:
    uses: ./judges/rate.yaml
    from: { answers: answers, judge: judge }
    with: { max_new_tokens: 3 }
  comparison:
    uses: ./judges/compare.yaml
    from: { first: answers, second: other-answers, judge: judge }
    with: { max_new_tokens: 3 }
`;

test('a judge stage marks the answers of another stage, or chooses between those of two', async () => {
  await using endpoint = await openEndpoint(({ prompt }, response) =>
    say(response, prompt.includes('Assistant B') ? 'The first is clearer. [[A]]' : 'Short, but right: [[8]]'),
  );
  await using rig = await openShippedRig();
  await rig.write('pipelines/judged.yaml', judged('{ model: "openai:tiny" }'));
  const set = (stage: string) => [
    '--set',
    `stages.${stage}/generate.with.endpoint.base_url=${endpoint.baseUrl}`,
  ];
  const ended = await rig.run('judged', ...set('rating'), ...set('comparison'));
  expect(ended).toMatchObject({ exitCode: 0 });
  const figuresOf = async (stage: string) =>
    (await rig.scores('judged', stage)).metrics.map(({ metric, value, count }) => [metric, value, count]);
  expect(await figuresOf('rating/evaluate')).toEqual([['judge_score', 8, 2]]);
  // The judge always prefers the first answer, so each model wins once per pair.
  expect(await figuresOf('comparison/evaluate')).toEqual([
    ['win_rate', 0.5, 2],
    ['ties', 0, 4],
    ['same_verdict_in_both_orders', 0, 2],
    ['preferred_position_a', 1, 4],
  ]);
  expect(endpoint.received.map(({ prompt }) => prompt)).toContainEqual(
    expect.stringMatching(
      /^Rate how helpful[\s\S]*Instruction:\nBelow is an instruction[\s\S]*A correct answer:\nThe roses are watered/,
    ),
  );
});

test('the model of a stage can be the judge; its answers without a mark are counted and named', async () => {
  await using rig = await openShippedRig();
  const own = '{ init: { context_length: 512, width: 16, layers: 1, heads: 2, encoding: r50k_base } }';
  await rig.write('pipelines/judged.yaml', judged(own));
  const { exitCode, stdout, stderr } = await rig.run('judged', 'rating');
  expect(exitCode).toBe(1);
  expect((stdout + stderr).replaceAll(/\s+/g, ' ')).toContain(
    'the metric `judge_score` can use none of the responses: the judge gave no mark from 1 to 10',
  );
});
