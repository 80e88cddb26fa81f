import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { stageSchemas } from '../../../src/generated/stage-schemas.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { loadStage } from '../../../src/stages/load/load-stage.ts';
import { locateRecords } from '../../../src/stages/load/read-records.ts';
import * as load from '../../../src/stages/load/run-load.ts';
import { openStageRig, type StageRig } from '../stage-rig.ts';

const jsonl = (...rows: readonly JsonObject[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const filled = (config: JsonObject) => fillDefaults(stageSchemas.load.schema, config);

async function loaded(rig: StageRig, config: JsonObject) {
  await rig.run(load, { config: filled(config), outputs: { records: 'out' } });
  return (await rig.readRecords('out')) as { id: string; dataset?: string }[];
}

test('sources are read one after the other, each by its own options', async () => {
  await using rig = await openStageRig();
  const a = await rig.write('a.jsonl', jsonl({ id: 1, q: 'x' }, { id: 2, q: 'y' }, { id: 3, q: 'z' }));
  const b = await rig.write('b.csv', 'one;two\n');
  const records = [
    { name: 'a', path: a, fields: { instruction: 'q' }, limit: 2 },
    { name: 'b', path: b, columns: ['q', 'id'], type: 'csv', id: 'id', weight: 2 },
  ];
  expect(await loaded(rig, { records })).toEqual([
    { id: 'a/1', instruction: 'x', dataset: 'a' },
    { id: 'a/2', instruction: 'y', dataset: 'a' },
    { id: 'b/two', q: 'one', dataset: 'b' },
    { id: 'b~2/two', q: 'one', dataset: 'b' },
  ]);
});

test('a record of several sources leads back to its line', async () => {
  await using rig = await openStageRig();
  const path = await rig.write('a.jsonl', jsonl({ id: 1 }, { id: 2 }));
  const config = filled({ records: [{ name: 'a', path, weight: 2 }] });
  const places = await locateRecords({ config: config as never, ids: ['a~2/2', 'a/1'] });
  expect([...places]).toEqual([
    ['a/1', { path, line: 1 }],
    ['a~2/2', { path, line: 2 }],
  ]);
});

describe('a pattern', () => {
  test('takes the files of its folder that match, in the order of their names', async () => {
    await using rig = await openStageRig();
    await rig.write('part-2.jsonl', jsonl({ id: 2 }));
    await rig.write('part-1.jsonl', jsonl({ id: 1 }));
    await rig.write('other.jsonl', jsonl({ id: 3 }));
    await rig.write('part-3.txt', 'text');
    expect(await loaded(rig, { records: rig.path('part-*') })).toEqual([{ id: '1' }, { id: '2' }]);
    expect(rig.reports).toEqual([
      { type: 'note', level: 'info', message: `${rig.path('part-*')}: no rows are read from part-3.txt` },
    ]);
  });

  test('is an error where it matches no file of rows', async () => {
    await using rig = await openStageRig();
    await rig.write('part-3.txt', 'text');
    await expect(loaded(rig, { records: rig.path('part-*') })).rejects.toMatchObject({
      code: 'not-a-file',
      help: 'it matches part-3.txt',
    });
  });
});

describe('a list of sources is checked before anything runs', () => {
  const source = { name: 'a', path: 'a.jsonl' };
  test.each<readonly [JsonObject, readonly string[]]>([
    [{ records: [source, { ...source, path: 'b.jsonl' }] }, ['/records/1/name duplicate-name']],
    [
      { records: [source], limit: 3, as: 'mmlu', type: 'csv' },
      ['/limit unheeded-field', '/as unheeded-field', '/type unheeded-field'],
    ],
    [{ records: 'a.jsonl', seed: 3 }, ['/seed unheeded-field']],
    [{ records: [{ ...source, path: 'hf:owner/name' }] }, ['/records/0/path no-file-named']],
    [{ records: [source], seed: 3 }, []],
  ])('%j', (config, problems) => {
    const found = loadStage.check?.(filled(config)) ?? [];
    expect(found.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(problems);
  });
});
