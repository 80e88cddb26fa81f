import { expect, test } from 'vitest';
import { openEndpoint, say } from '../stages/generate/endpoint/loopback-endpoint.ts';
import { openShippedRig } from './shipped-pipeline.ts';

const alpaca =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.';

test('the judge is asked as the reference experiment asks it, and its grades become the score', async () => {
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

test('a judge that is not there is a failure that names its address', async () => {
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
