import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Part } from '../../../src/stages/split/parts.ts';
import * as split from '../../../src/stages/split/run-split.ts';
import { assignByHash, assignByOrder } from '../../../src/stages/split/run-split.ts';
import { splitStage } from '../../../src/stages/split/split-stage.ts';
import { openStageRig } from '../stage-rig.ts';

const parts = [{ train: 0.5 }, { test: 0.25 }, { validation: 'rest' }];
const defaults = { by: 'order', parts, seed: 0, drop_leaks: false };
const inParts: readonly Part[] = [
  { name: 'train', share: 0.5 },
  { name: 'test', share: 0.25 },
  { name: 'validation', share: 'rest' },
];

async function splitRecords(records: readonly JsonObject[], config: JsonObject) {
  await using rig = await openStageRig();
  await rig.writeRecords('in', records);
  const files = { train: 'train', test: 'test', validation: 'validation' };
  await rig.run(split, {
    config: { ...defaults, ...config },
    inputs: { records: 'in' },
    outputs: { records: files },
  });
  const read = async (part: string) => (await rig.readRecords(part)) as { id: string }[];
  return {
    train: await read('train'),
    test: await read('test'),
    validation: await read('validation'),
    reports: rig.reports,
  };
}

describe('by order', () => {
  test('each part takes the next floor(n x share) records, and one the remainder', async () => {
    const records = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({ id, text: id }));
    expect(await splitRecords(records, {})).toEqual({
      train: records.slice(0, 3),
      test: records.slice(3, 4),
      validation: records.slice(4),
      reports: [],
    });
  });

  test('shares are decimals: 0.29 of 100 is 29', () => {
    const assigned = assignByOrder(100, [
      { name: 'a', share: 0.29 },
      { name: 'b', share: 'rest' },
    ]);
    expect(assigned.filter((name) => name === 'a')).toHaveLength(29);
  });
});

describe('by hash', () => {
  const key = fc.string();
  test('adding records never moves old ones, and nothing is lost or doubled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 12 }),
        fc.uniqueArray(key, { maxLength: 12 }),
        fc.nat(),
        async (old, added, seed) => {
          const all = [...new Set([...added, ...old])];
          const before = await splitRecords(
            old.map((id) => ({ id })),
            { by: 'hash', seed },
          );
          const after = await splitRecords(
            all.map((id) => ({ id })),
            { by: 'hash', seed },
          );
          for (const part of ['train', 'test', 'validation'] as const) {
            expect(after[part]).toEqual(expect.arrayContaining(before[part]));
          }
          const dealt = [...after.train, ...after.test, ...after.validation].map(({ id }) => id);
          expect(dealt.sort()).toEqual(all.sort());
        },
      ),
      { numRuns: 25 },
    );
  });

  test('parts are near their shares', () => {
    const names = Array.from({ length: 4000 }, (_, index) =>
      assignByHash(`record ${index}`, { parts: inParts, seed: 1 }),
    );
    const shareOf = (name: string) => names.filter((each) => each === name).length / names.length;
    expect(shareOf('train')).toBeCloseTo(0.5, 1);
    expect(shareOf('test')).toBeCloseTo(0.25, 1);
    expect(shareOf('validation')).toBeCloseTo(0.25, 1);
  });

  test('equal groups stay together, also in formatted records', async () => {
    const records = Array.from({ length: 60 }, (_, index) => ({
      id: `${index}`,
      fields: { fact: `fact ${index % 12}` },
    }));
    const { train, test: tested, validation } = await splitRecords(records, { by: 'hash', group: 'fact' });
    const groups = [train, tested, validation].map((part) => new Set(part.map(({ id }) => Number(id) % 12)));
    expect(groups.reduce((sum, group) => sum + group.size, 0)).toBe(12);
  });

  test('a record without its group is an error that names it', async () => {
    await expect(
      splitRecords([{ id: 'a', topic: 't' }, { id: 'b' }], { by: 'hash', group: 'topic' }),
    ).rejects.toMatchObject({
      name: 'UserError',
      code: 'missing-field',
      message: '1 of 2 records cannot be grouped',
      records: [{ id: 'b', problem: 'it has no field `topic`' }],
    });
  });
});

describe('by strata', () => {
  const kinds = ['a', 'a', 'b', 'a', 'b', 'a', 'c', 'a', 'b', 'a', 'b', 'a', 'a', 'a', 'b'];
  const rows = kinds.map((kind, index) => ({ id: `${index}`, kind }));
  const config = { by: 'stratified', field: 'kind' };
  const countsOf = (part: readonly { id: string }[]) =>
    ['a', 'b', 'c'].map((kind) => part.filter(({ id }) => kinds[Number(id)] === kind).length);

  test('of each value’s n records a part takes floor(n x share), and one the remainder', async () => {
    const { train, test: tested, validation } = await splitRecords(rows, config);
    // 9, 5 and 1 records, in shares of a half, a quarter and the rest.
    expect([train, tested, validation].map(countsOf)).toEqual([
      [4, 2, 0],
      [2, 1, 0],
      [3, 2, 1],
    ]);
    const order = (part: readonly { id: string }[]) => part.map(({ id }) => Number(id));
    for (const part of [train, tested, validation])
      expect(order(part)).toEqual(order(part).toSorted((a, b) => a - b));
  });

  test('the seed decides the part of each record; the order of the rows and other strata do not', async () => {
    const partsOf = async (given: readonly JsonObject[], seed: number) => {
      const { reports: _, ...split } = await splitRecords(given, { ...config, seed });
      return Object.values(split).map((part) => part.map(({ id }) => id).sort());
    };
    const first = await partsOf(rows, 1);
    expect(await partsOf(rows.toReversed(), 1)).toEqual(first);
    expect(await partsOf(rows, 2)).not.toEqual(first);
    const alone = await partsOf(
      rows.filter(({ kind }) => kind === 'a'),
      1,
    );
    expect(alone).toEqual(first.map((ids) => ids.filter((id) => kinds[Number(id)] === 'a')));
  });

  test('of formatted records the field of the row counts, whatever its type', async () => {
    const formatted = rows.map(({ id, kind }) => ({ id, segments: [], fields: { spam: kind === 'a' } }));
    const { train } = await splitRecords(formatted, { ...config, field: 'spam' });
    expect(countsOf(train)[0]).toBe(4);
  });

  test('a record without the field is an error that names it', async () => {
    await expect(splitRecords([...rows, { id: 'x' }], config)).rejects.toMatchObject({
      code: 'missing-field',
      records: [{ id: 'x', problem: 'it has no field `kind`' }],
    });
  });
});

describe('leaks', () => {
  const rows = [
    { id: '1', instruction: 'Spell cat', input: '' },
    { id: '2', instruction: 'Say hello', input: 'loud' },
    { id: '3', instruction: 'spell CAT' },
    { id: '4', instruction: 'Say hello', input: 'LOUD' },
  ];

  test('what is in more than one part is reported, whatever its case', async () => {
    expect((await splitRecords(rows, {})).reports).toEqual([
      {
        type: 'note',
        level: 'warning',
        message:
          '1 of 1 records in `test` are also in `train`; 1 of 1 records in `validation` are also in `train`' +
          ' (`drop_leaks: true` leaves them out)',
      },
    ]);
  });

  test('can be left out of the later part', async () => {
    expect(await splitRecords(rows, { drop_leaks: true })).toEqual({
      train: rows.slice(0, 2),
      test: [],
      validation: [],
      reports: [
        {
          type: 'note',
          level: 'info',
          message:
            '1 of 1 records in `test` are also in `train`; 1 of 1 records in `validation` are also in `train`; they were left out',
        },
        { type: 'note', level: 'warning', message: 'none of 2 records is in `test`, `validation`' },
      ],
    });
  });
});

describe('check', () => {
  const problemsOf = (config: JsonObject) =>
    splitStage
      .check?.({ ...defaults, ...config })
      .map(({ pointer, code, message }) => `${pointer} ${code}: ${message}`);

  test.each([
    [{}, []],
    [{ by: 'stratified', field: 'kind', seed: 3 }, []],
    [
      { by: 'stratified', group: 'kind' },
      [
        '/group unheeded-field: `group` means nothing where records are split by strata',
        '/by no-stratum: `by: stratified` names no field that holds the strata',
      ],
    ],
    [
      { by: 'hash', field: 'kind' },
      ['/field unheeded-field: `field` means nothing where records are split by a hash'],
    ],
    [{ parts: [{ a: 0.5 }, { a: 'rest' }] }, ['/parts/1 duplicate-part: there is already a part `a`']],
    [{ parts: [{ a: 0.5 }, { b: 0.5 }] }, ['/parts bad-shares: no part takes the rest']],
    [
      { parts: [{ a: 'rest' }, { b: 'rest' }] },
      ['/parts bad-shares: `a` and `b` cannot each take the rest: one part does'],
    ],
    [
      { parts: [{ a: 0.7 }, { b: 0.4 }, { c: 'rest' }] },
      ['/parts bad-shares: the shares add up to 1.1, which leaves nothing for `c`'],
    ],
    [{ parts: [{ 'a.b': 'rest' }] }, ["/parts/0 bad-part-name: `a.b` cannot be a part's name"]],
    [
      { parts: [{ records: 'rest' }] },
      ['/parts/0 bad-part-name: a part cannot have the name of the output, `records`'],
    ],
    [
      { group: 'topic', seed: 3 },
      [
        '/group unheeded-field: `group` means nothing where records are split by their order',
        '/seed unheeded-field: `seed` means nothing where records are split by their order',
      ],
    ],
    [{ by: 'hash', group: 'topic', seed: 3 }, []],
  ])('%j', (config, problems) => {
    expect(problemsOf(config)).toEqual(problems);
  });

  test('the parts are known from the configuration alone', () => {
    expect(splitStage.ports(defaults).outputs).toEqual({
      records: { type: 'records', parts: ['train', 'test', 'validation'] },
    });
  });
});
