import { expect, test } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import { concatStage } from '../../../src/stages/concat/concat-stage.ts';
import * as concat from '../../../src/stages/concat/run-concat.ts';
import { openStageRig } from '../stage-rig.ts';

type Sources = readonly { readonly name: string; readonly weight?: number; readonly limit?: number }[];

async function joined(
  inputs: Readonly<Record<string, readonly Json[]>>,
  sources: Sources,
  seed = 0,
): Promise<readonly { readonly id: string }[]> {
  await using rig = await openStageRig();
  for (const [name, records] of Object.entries(inputs)) await rig.writeRecords(name, records);
  await rig.run(concat, {
    config: { sources: sources.map((source) => ({ weight: 1, ...source })), seed },
    inputs: Object.fromEntries(Object.keys(inputs).map((name) => [name, name])),
    outputs: { records: 'out' },
  });
  return (await rig.readRecords('out')) as { id: string }[];
}

const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `${index}`, n: index }));
const idsOf = (records: readonly { readonly id: string }[]) => records.map(({ id }) => id);

test('sources follow each other in the order of the list, each row with its source', async () => {
  expect(
    await joined({ b: [{ id: '1', n: 1 }], a: [{ id: '1', n: 2 }] }, [{ name: 'a' }, { name: 'b' }]),
  ).toEqual([
    { id: 'a/1', n: 2, dataset: 'a' },
    { id: 'b/1', n: 1, dataset: 'b' },
  ]);
});

test('a weight repeats a source whole and draws its fraction, and a limit comes before it', async () => {
  const ids = idsOf(await joined({ a: rows(9) }, [{ name: 'a', weight: 2.5, limit: 4 }]));
  expect(ids.slice(0, 8)).toEqual([...['a/0', 'a/1', 'a/2', 'a/3'], ...['a~2/0', 'a~2/1', 'a~2/2', 'a~2/3']]);
  expect(ids.slice(8)).toHaveLength(2);
  expect(ids.slice(8).every((id) => /^a~3\/[0-3]$/.test(id))).toBe(true);
});

test('a fraction of n rows is floor(n x fraction): 0.29 of 100 is 29', async () => {
  expect(await joined({ a: rows(100) }, [{ name: 'a', weight: 0.29 }])).toHaveLength(29);
});

test('the seed and the ids decide which rows are drawn: another row moves one at most', async () => {
  const half = [{ name: 'a', weight: 0.5 }];
  const before = idsOf(await joined({ a: rows(40) }, half));
  expect(idsOf(await joined({ a: rows(40) }, half))).toEqual(before);
  expect(idsOf(await joined({ a: rows(40) }, half, 1))).not.toEqual(before);
  const after = new Set(idsOf(await joined({ a: rows(41) }, half)));
  expect(before.filter((id) => !after.has(id)).length).toBeLessThanOrEqual(1);
});

test('of a formatted record the row has the source, and an earlier source is kept', async () => {
  const formatted = { id: 'q', segments: [{ role: 'prompt', text: 'x' }], fields: { n: 1 } };
  const mixed = { id: 'easy~2/3', n: 2, dataset: 'easy' };
  expect(await joined({ a: [formatted], b: [mixed] }, [{ name: 'a' }, { name: 'b' }])).toEqual([
    { ...formatted, id: 'a/q', fields: { n: 1, dataset: 'a' } },
    { id: 'b/easy~2/3', n: 2, dataset: 'b/easy' },
  ]);
});

test("a row that has a field `dataset` of the user's is refused", async () => {
  await expect(joined({ a: [{ id: '1', dataset: 'mine' }] }, [{ name: 'a' }])).rejects.toThrow(
    'the record 1 of `a` has a field `dataset`, where the name of its source belongs',
  );
});

test('two sources of one name are refused, and a record leads back to its port', () => {
  const config = {
    sources: [
      { name: 'a', weight: 1 },
      { name: 'a', weight: 1 },
    ],
    seed: 0,
  };
  expect(concatStage.check?.(config)).toEqual([
    { pointer: '/sources/1/name', code: 'duplicate-name', message: 'there is already a source `a`' },
  ]);
  const trace = concatStage.recordsPort;
  if (typeof trace !== 'function') throw new Error('concat changes ids');
  expect([trace('a/x/1'), trace('a~2/x'), trace('x')]).toEqual([
    { port: 'a', id: 'x/1' },
    { port: 'a', id: 'x' },
    undefined,
  ]);
});
