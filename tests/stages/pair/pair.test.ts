import { expect, test } from 'vitest';
import { run } from '../../../src/stages/pair/run-pair.ts';
import { openStageRig } from '../stage-rig.ts';

const answer = (id: string, response: string, prompt = `asked ${id}`) => ({
  id,
  prompt,
  expected: 'gold',
  fields: { instruction: 'do' },
  response,
});

async function pairsOf(
  first: readonly object[],
  second: readonly object[],
  orders = 'both',
  unmatched = 'error',
) {
  await using rig = await openStageRig();
  await rig.writeRecords(
    'first',
    first.map((row) => ({ ...row })),
  );
  await rig.writeRecords(
    'second',
    second.map((row) => ({ ...row })),
  );
  const inputs = { first: 'first', second: 'second' };
  await rig.run({ run }, { config: { orders, unmatched }, inputs, outputs: { records: 'pairs' } });
  return await rig.readRecords('pairs');
}

test('each pair is in both orders, whatever the order of the second answers', async () => {
  const shared = { instruction: 'do', expected: 'gold' };
  expect(await pairsOf([answer('1', 'x'), answer('2', 'y')], [answer('2', 'Y'), answer('1', 'X')])).toEqual([
    {
      ...shared,
      id: '1/first',
      prompt: 'asked 1',
      answer_a: 'x',
      answer_b: 'X',
      pair: '1',
      shown_first: 'first',
    },
    {
      ...shared,
      id: '1/second',
      prompt: 'asked 1',
      answer_a: 'X',
      answer_b: 'x',
      pair: '1',
      shown_first: 'second',
    },
    {
      ...shared,
      id: '2/first',
      prompt: 'asked 2',
      answer_a: 'y',
      answer_b: 'Y',
      pair: '2',
      shown_first: 'first',
    },
    {
      ...shared,
      id: '2/second',
      prompt: 'asked 2',
      answer_a: 'Y',
      answer_b: 'y',
      pair: '2',
      shown_first: 'second',
    },
  ]);
});

test('there is one order if the configuration says so', async () => {
  expect(await pairsOf([answer('1', 'x')], [answer('1', 'X')], 'first')).toHaveLength(1);
});

test.each([
  { second: [], problem: 'the second model has no answer with its id' },
  { second: [answer('1', 'X', 'else')], problem: 'the second model was given another prompt' },
])('$problem', async ({ second, problem }) => {
  await expect(pairsOf([answer('1', 'x')], second)).rejects.toMatchObject({
    message: '1 of 1 records have no counterpart among the second answers',
    records: [{ id: '1', problem }],
  });
});

test('lists of different lengths are refused, or their common part is paired', async () => {
  const [one, two] = [[answer('1', 'x')], [answer('1', 'X'), answer('2', 'Y')]];
  await expect(pairsOf(one, two)).rejects.toMatchObject({
    code: 'no-counterpart',
    message: '1 of the second answers have no counterpart among the first: 2',
  });
  await expect(pairsOf(two, one)).rejects.toMatchObject({ code: 'no-counterpart' });
  for (const [first, second] of [
    [one, two],
    [two, one],
  ] as const)
    expect(await pairsOf(first, second, 'first', 'leave_out')).toMatchObject([{ id: '1/first' }]);
});
