import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ExactNumber, parseExactly } from '../../../src/core/index.ts';
import type { LoadConfig } from '../../../src/generated/load-config.ts';
import { readRecords } from '../../../src/stages/load/read-records.ts';
import { openStageRig } from '../stage-rig.ts';

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/stages/parquet', name);
const config = (records: string) => ({ type: 'auto', records }) as LoadConfig & { records: string };

async function recordsOf(path: string): Promise<readonly unknown[]> {
  const records = [];
  for await (const { record } of readRecords(config(path))) records.push(record);
  return records;
}

test.each(['none', 'snappy', 'gzip', 'zstd', 'brotli'])(
  'a Parquet file that pyarrow packed with %s gives the rows that it was written from, lists and structs as JSON',
  async (compression) => {
    const expected = parseExactly(await readFile(fixture('rows.json'), 'utf8'));
    expect(await recordsOf(fixture(`${compression}.parquet`))).toEqual(expected);
  },
);

test('numbers are the ints and floats that pyarrow reads', async () => {
  const [record] = await recordsOf(fixture('numbers.parquet'));
  const [expected] = parseExactly(await readFile(fixture('numbers.json'), 'utf8')) as [{ id: ExactNumber }];
  expect(record).toEqual({ ...expected, id: String(expected.id) });
});

test('the place of a Parquet row is its number', async () => {
  const places = [];
  for await (const { place } of readRecords(config(fixture('snappy.parquet')))) places.push(place?.line);
  expect(places).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('a folder of files is read in the order of their names', async () => {
  await using rig = await openStageRig();
  await mkdir(rig.path('shards'));
  await rig.write('shards/b.jsonl', '{"id":"b","text":"2"}\n');
  await rig.write('shards/a.json', '[{"id":"a","text":"1"}]');
  await rig.write('shards/README.md', 'no rows');
  expect(await recordsOf(rig.path('shards'))).toEqual([
    { id: 'a', text: '1' },
    { id: 'b', text: '2' },
  ]);
});

const damages: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['cut short', (bytes) => bytes.subarray(0, bytes.length - 100)],
  ['only its beginning', (bytes) => bytes.subarray(0, 8)],
  ['a footer that claims 4 GB', (bytes) => patched(bytes, bytes.length - 8, [255, 255, 255, 255])],
  [
    'a footer of zeros',
    (bytes) => Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(200), bytes.subarray(-8)]),
  ],
  [
    'pages of zeros',
    (bytes) => Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(1500), bytes.subarray(1504)]),
  ],
];

function patched(bytes: Buffer, at: number, values: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(values, at);
  return copy;
}

test.each(damages)('a damaged Parquet file (%s) is a clear error', async (_, damage) => {
  await using rig = await openStageRig();
  await rig.write('rows.parquet', '');
  await writeFile(rig.path('rows.parquet'), damage(await readFile(fixture('zstd.parquet'))));
  await expect(recordsOf(rig.path('rows.parquet'))).rejects.toMatchObject({
    name: 'UserError',
    code: 'bad-parquet',
    message: expect.stringContaining('it cannot be read as Parquet'),
  });
});

test('a Parquet file with a flipped byte gives rows or a UserError', async () => {
  await using rig = await openStageRig();
  const bytes = await readFile(fixture('snappy.parquet'));
  await rig.write('rows.parquet', '');
  for (let at = 0; at < bytes.length; at += 37) {
    await writeFile(rig.path('rows.parquet'), patched(bytes, at, [(bytes[at] ?? 0) ^ 0x5a]));
    await recordsOf(rig.path('rows.parquet')).catch((error: Error) => expect(error.name).toBe('UserError'));
  }
});

test('every row that is not an object is reported with its line', async () => {
  await using rig = await openStageRig();
  await rig.write('rows.jsonl', '{"a":1}\n[1]\nnull\n{"a":2}\n"x"\n');
  await expect(recordsOf(rig.path('rows.jsonl'))).rejects.toMatchObject({
    code: 'not-an-object',
    message: `3 of 5 records of ${rig.path('rows.jsonl')} cannot be loaded`,
    records: [
      { problem: 'it is a list, not an object', place: { line: 2 } },
      { problem: 'it is null, not an object', place: { line: 3 } },
      { problem: 'it is a string, not an object', place: { line: 5 } },
    ],
  });
});
