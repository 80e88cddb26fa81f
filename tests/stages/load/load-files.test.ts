import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { LoadConfig } from '../../../src/generated/load-config.ts';
import { readRecords } from '../../../src/stages/load/read-records.ts';
import expected from '../../fixtures/stages/files/expected.json' with { type: 'json' };
import { openStageRig } from '../stage-rig.ts';

const folder = join(import.meta.dirname, '../../fixtures/stages/files');
const files = Object.entries(expected as Record<string, { config: JsonObject; rows: readonly JsonObject[] }>);

/** The rows in a file, without their ids, and what is said about it. */
async function read(records: string, config: JsonObject = {}) {
  const rows: JsonObject[] = [];
  const notes: string[] = [];
  const full = { type: 'auto', ...config, records } as LoadConfig & { records: string };
  for await (const { record } of readRecords(full, (note) => notes.push(note))) {
    const { id: _, ...row } = record;
    rows.push(row);
  }
  return { rows, notes };
}

/** The error of a file with that content, which messages call FILE. */
async function refusal(content: string | Uint8Array, config: JsonObject = {}) {
  await using rig = await openStageRig();
  const path = await rig.write('data', content);
  const error = await read(path, config).then(
    ({ rows }) => new Error(`it gives ${JSON.stringify(rows)}`),
    (thrown: Error & { help?: string }) => thrown,
  );
  return { message: error.message.replaceAll(path, 'FILE'), help: 'help' in error ? error.help : undefined };
}

describe('a file that pandas, pyarrow or Python wrote gives the rows that pandas and datasets read', () => {
  test.each(files)('%s', async (name, { config, rows }) => {
    const kept = rows.map(({ id, ...row }) => row);
    expect((await read(join(folder, name), config)).rows).toEqual(config.columns === undefined ? rows : kept);
  });

  test('no file is left out here', async () => {
    const names = (await readdir(folder)).filter(
      (name) => name !== 'expected.json' && name !== 'make-files.py',
    );
    expect(names.sort()).toEqual(files.map(([name]) => name).sort());
  });
});

describe('what cannot be read is refused with what to do', () => {
  test.each([
    ['NaN', "`NaN` is Python's; write null for a missing number"],
    ['Infinity', "`Infinity` is Python's; JSON has only finite numbers"],
    ['-Infinity', "`Infinity` is Python's; JSON has only finite numbers"],
    ['None', "`None` is Python's; write null"],
    ['True', "`True` is Python's; write true"],
  ])('%s, as Python writes it', async (text, reason) => {
    const column = text.startsWith('-') ? 8 : 7;
    expect((await refusal(`[{"a":${text}}]`)).message).toBe(`FILE:1:${column}: not JSON: ${reason}`);
    expect((await refusal(`{"a":1}\n{"a":${text}}\n`)).message).toBe(
      `FILE:2:${column - 1}: the line is not JSON: ${reason}`,
    );
  });

  const rows = '[{"a": 1}, {"a": 2}]';
  test.each([
    [
      'a wrapped list on one line',
      `{"data": ${rows}}`,
      'read the list in its field `data` with `field: data`; if it is one row, set `type: jsonl`',
    ],
    [
      'with facts beside it',
      `{"version": "1", "train": ${rows}}`,
      'read the list in its field `train` with `field: train`; if it is one row, set `type: jsonl`',
    ],
    [
      'two lists',
      `{\n"train": ${rows}, "test": [{"a": 3}]}`,
      'read the list in its field `train` with `field: train`; `test` likewise',
    ],
    [
      'what the hub’s viewer serves',
      '{"features": [{"name": "a"}],\n"rows": [{"row_idx": 0, "row": {"a": 1}}, {"row_idx": 1, "row": {"a": 2}}]}',
      'read the list in its field `rows` with `field: rows.row`; `features` likewise',
    ],
    [
      'columns',
      '{"a": [1, 2], "b": ["x", "y"]}',
      "its fields are columns, lists of 2 values each, not rows; pandas writes rows with `df.to_json(FILE, orient='records', lines=True)`; if it is one row, set `type: jsonl`",
    ],
    [
      'pandas’s default',
      '{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}',
      "its fields are columns, as pandas's to_json writes them by default, not rows; pandas writes rows with `df.to_json(FILE, orient='records', lines=True)`; if it is one row, set `type: jsonl`",
    ],
    [
      'pandas’s split',
      '{"columns":["a"],"index":[0],"data":[[1]]}',
      "its fields are columns, as pandas's orient='split' has them, not rows; pandas writes rows with `df.to_json(FILE, orient='records', lines=True)`; if it is one row, set `type: jsonl`",
    ],
  ])('JSON that is one object: %s', async (_, content, help) => {
    expect(await refusal(content)).toEqual({
      message: expect.stringMatching(/^FILE holds one object with `.*`, not a list of rows$/),
      help,
    });
  });

  test.each([
    ['a conversation', '{"messages": [{"role": "user", "content": "Hi"}]}'],
    ['a row with a list', '{"question": "?", "choices": [{"text": "a"}]}'],
    ['a translation', '{"translation": {"en": "a", "de": "b"}}'],
  ])('one row on one line is a row: %s', async (_, content) => {
    await using rig = await openStageRig();
    expect((await read(await rig.write('data', content))).rows).toEqual([JSON.parse(content)]);
  });

  test('a second line shows that the first is a row, and so does `type: jsonl`', async () => {
    await using rig = await openStageRig();
    const row = { data: [{ a: 1 }] };
    const two = await rig.write('two', `${JSON.stringify(row)}\n${JSON.stringify(row)}\n`);
    const one = await rig.write('one', JSON.stringify(row));
    expect((await read(two)).rows).toEqual([row, row]);
    expect((await read(one, { type: 'jsonl' })).rows).toEqual([row]);
  });

  const advice = (encoding: string, more = '') =>
    `save the file as UTF-8; a program for it is iconv: \`iconv -f ${encoding} -t UTF-8 FILE > NEW\`${more}`;
  test.each([
    [
      'UTF-16',
      Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le'),
      'FILE:1: the line is not UTF-8 text (it looks like UTF-16)',
      advice('UTF-16'),
    ],
    [
      'UTF-16 without its mark',
      Buffer.from('a,b\n1,2\n', 'utf16le'),
      'FILE has NUL characters, as UTF-16 and binary files do',
      advice('UTF-16LE', ', if that is its encoding'),
    ],
    [
      'Latin-1',
      Buffer.from('a,b\n1,é\n', 'latin1'),
      'FILE:2: the line is not UTF-8 text',
      advice('WINDOWS-1252', ', if that is its encoding'),
    ],
    [
      'a ZIP archive',
      Buffer.from('PK\x03\x04rest'),
      'FILE is a ZIP archive or an Excel file, not a file of rows',
      'unpack it, and give the path of the file or folder inside; from Excel, save the sheet as CSV (UTF-8)',
    ],
    [
      'a pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n'),
      'FILE is a pointer of Git LFS, not a file of rows',
      'take the file that it stands for: `git lfs pull`',
    ],
    [
      'a web page',
      Buffer.from('<!DOCTYPE html>\n<html><body>Log in</body></html>\n'),
      'FILE is a web page, not a file of rows',
      'take the file itself, not the page that shows it or asks for a login',
    ],
    [
      'Arrow',
      Buffer.from('ffffffff', 'hex'),
      'FILE is an Arrow file, not a file of rows',
      'Arrow files are what datasets keeps for itself: write Parquet with `load_from_disk(FOLDER).to_parquet(FILE)`',
    ],
    [
      'damaged gzip',
      Buffer.from('1f8b0800000000', 'hex'),
      'FILE is packed with gzip, but damaged: unexpected end of file',
      'copy or download it again',
    ],
  ])('%s', async (_, content, message, help) => {
    expect(await refusal(content)).toEqual({ message, help });
  });

  const ownQuotes = 'where quotation marks are part of the text, set `quotes: false`';
  test.each([
    [
      'a header among the rows',
      ',instruction,output\n0,a,b\n',
      { columns: ['row', 'instruction', 'output'] },
      'FILE:1: the first row holds the names of the columns: `instruction`, `output`',
      '`columns` is for files without a header row: leave it out, and rename columns with `fields`',
    ],
    [
      'two columns of one name',
      'a,b,a\n1,2,3\n',
      {},
      'FILE:1: two columns have the name `a`',
      'give each column its own name in the file; if the file has no header row, name its columns with `columns`',
    ],
    [
      'a row that is too short',
      'a,b\n1\n',
      {},
      'FILE:2: the row has 1 value where there are 2 columns',
      'each row needs a value for each column, which may be empty',
    ],
    [
      'a row that is too long',
      'a,b\n1,2,3\n',
      {},
      'FILE:2: the row has 3 values where there are 2 columns',
      'put a value that contains the delimiter in double quotes, or name all columns in the first line',
    ],
    [
      'quotation marks of a TSV’s text',
      'a\tb\n"it\t1\nthat"\t2\n',
      {},
      'FILE:2: a value in quotation marks has both tabs and line breaks, so it may be several rows',
      `${ownQuotes}; if it is one value, set \`quotes: true\``,
    ],
    [
      'an open quotation mark',
      'a\tb\n"it\t1\n',
      {},
      'FILE:2: not TSV: a quotation mark in the row that starts here is never closed',
      `put a value with quotation marks in quotation marks, and double each one inside it; ${ownQuotes}`,
    ],
    [
      'an option of another format',
      '[{"a": 1}]',
      { columns: ['a'] },
      'FILE is JSON, where `columns` means nothing',
      'leave `columns` out; it is for CSV and TSV',
    ],
    [
      '`field` of a table',
      'a,b\n1,2\n',
      { field: 'data' },
      'FILE is CSV, where `field` means nothing',
      'leave `field` out; it is for JSON',
    ],
    [
      'a field that is not there',
      '{"rows": [{"a": 1}]}',
      { field: 'data' },
      'FILE has no field `data`, which `field` names',
      'where `data` is looked for, it has `rows`',
    ],
    [
      'a field that is no list',
      '{"data": {"a": 1}}',
      { field: 'data' },
      'FILE holds one object with `a`, not a list of rows',
      'rows are a JSON list of objects, [{...}, {...}], or JSONL: one object on each line',
    ],
  ])('%s', async (_, content, config, message, help) => {
    expect(await refusal(content, config)).toEqual({ message, help });
  });
});

test('the place of a row that `field` leads to is the line on which it begins', async () => {
  await using rig = await openStageRig();
  const content =
    '{"x": [{"data": 1}], "data":\n[{"a": [\n{"n": 1},\n\n{"n": "]"}], "b": 2},\n{"a": {"n": 3}}]}';
  const config = { type: 'auto', field: 'data.a', records: await rig.write('data', content) };
  const places = [];
  for await (const { record, place } of readRecords(config as LoadConfig & { records: string }))
    places.push([record.n, place?.line]);
  expect(places).toEqual([
    [1, 3],
    [']', 5],
    [3, 6],
  ]);
});

test('a CSV file may say to Excel what separates its values; lines are counted from the first', async () => {
  await using rig = await openStageRig();
  const path = await rig.write('data', '\uFEFFsep=;\r\na;b\r\n"1,5";ü\r\n');
  expect((await read(path)).rows).toEqual([{ a: '1,5', b: 'ü' }]);
  expect((await refusal('sep=|\na|b\n1|2|3\n')).message).toBe(
    'FILE:3: the row has 3 values where there are 2 columns',
  );
});

test('a folder gives the rows of its data files; what else could hold rows is named', async () => {
  await using rig = await openStageRig();
  for (const name of ['rows', 'rows/more', 'rows/__MACOSX', 'rows/.git']) await mkdir(rig.path(name));
  const strays = [
    'README.md',
    '.gitattributes',
    '.DS_Store',
    '._a.jsonl',
    '.hidden.json',
    '_SUCCESS',
    'dataset_info.json',
    'state.json',
    'more/c.jsonl',
    '__MACOSX/._a.jsonl',
  ];
  for (const name of strays) await rig.write(`rows/${name}`, '{"stray": 1}');
  await rig.write('rows/b.csv', 'n\n2\n');
  await rig.write('rows/a.jsonl', '{"n": "1"}\n');
  expect(await read(rig.path('rows'))).toEqual({
    rows: [{ n: '1' }, { n: '2' }],
    notes: [`${rig.path('rows')}: no rows are read from dataset_info.json, state.json, more/`],
  });
});

test.each([
  [
    'save_to_disk',
    ['data-00000-of-00001.arrow', 'state.json'],
    'Arrow files are what datasets keeps for itself: write Parquet with `load_from_disk(FOLDER).to_parquet(FILE)`',
  ],
  [
    'folders',
    ['train/a.jsonl'],
    'give the path of a file of rows, or of a folder of them; perhaps its folder `train`',
  ],
])('a folder without rows is refused with where they may be: %s', async (_, names, help) => {
  await using rig = await openStageRig();
  await mkdir(rig.path('rows/train'), { recursive: true });
  for (const name of names) await rig.write(`rows/${name}`, '{}');
  await expect(read(rig.path('rows'))).rejects.toMatchObject({ code: 'not-a-file', help });
});
