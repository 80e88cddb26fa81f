import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import * as load from '../../../src/stages/load/run-load.ts';
import { openStageRig } from '../stage-rig.ts';

/** What is loaded from a file with that content; messages name it FILE. */
async function loaded(content: string | Uint8Array, config: JsonObject = {}) {
  await using rig = await openStageRig();
  const records = await rig.write('data', content);
  const action = { config: { type: 'auto', records, ...config }, outputs: { records: 'out' } };
  await rig.run(load, action).catch((error: Error) => {
    error.message = error.message.replaceAll(records, 'FILE');
    throw error;
  });
  return await rig.readRecords('out');
}

const rows = [
  { instruction: 'Say "hi"', output: 'hi, all' },
  { instruction: 'Next\nline', output: 'ok' },
];
const withoutIds = (records: readonly unknown[]) =>
  records.map((record) => ({ ...(record as object), id: undefined }));

describe('the same rows come from', () => {
  test.each([
    ['a JSON list', JSON.stringify(rows, null, 2)],
    ['JSONL', rows.map((row) => JSON.stringify(row)).join('\n')],
    [
      'JSONL with a byte order mark, CRLF and empty lines',
      `\uFEFF${rows.map((row) => JSON.stringify(row)).join('\r\n\r\n')}\r\n`,
    ],
    ['CSV', 'instruction,output\n"Say ""hi""","hi, all"\n"Next\nline",ok\n'],
    [
      'CSV with a byte order mark, CRLF and empty lines',
      '\uFEFFinstruction,output\r\n"Say ""hi""","hi, all"\r\n\r\n"Next\nline",ok',
    ],
  ])('%s', async (_, content) => {
    expect(withoutIds(await loaded(content))).toEqual(withoutIds(rows));
  });
});

test('quotation marks can be part of the text, and columns can be named where there is no header', async () => {
  const records = await loaded('"it\t0\n', { columns: ['sentence', 'label'], quotes: false });
  expect(withoutIds(records)).toEqual(withoutIds([{ sentence: '"it', label: '0' }]));
});

test('rows of messages pass through', async () => {
  const row = { id: 'a', messages: [{ role: 'user', content: 'Hi' }] };
  expect(await loaded(JSON.stringify([row]))).toEqual([row]);
});

test('fields are renamed, also to several names, and the others kept', async () => {
  const fields = { instruction: 'question', prompt: 'question', input: 'context', text: 'body' };
  const row = { id: 1, question: 'q', text: 'old', body: 'new', topic: 't' };
  expect(await loaded(JSON.stringify([row, { id: 2, context: 'c' }]), { fields })).toEqual([
    { id: '1', instruction: 'q', prompt: 'q', text: 'new', topic: 't' },
    { id: '2', input: 'c' },
  ]);
});

test('a name in `fields` that no row has is a mistake', async () => {
  await expect(loaded('q,answer\n1,2\n', { fields: { output: 'anwser' } })).rejects.toMatchObject({
    name: 'UserError',
    message: 'no row of FILE has the field `anwser`, which `fields` renames',
    help: 'did you mean `answer`?',
  });
});

test('a limit takes the first rows and reads no further', async () => {
  const records = await loaded('{"n":1}\n{"n":2}\nnot json\n', { limit: 2 });
  expect(withoutIds(records)).toEqual(withoutIds([{ n: 1 }, { n: 2 }]));
});

describe('ids', () => {
  test('are the hash of the canonical content, with an ordinal from the second of equal rows on', async () => {
    const hash = createHash('sha256').update('{"a":1,"b":"é"}').digest('hex').slice(0, 16);
    const ids = (await loaded('{"b":"é","a":1}\n{"a":1,"b":"é"}\n{"a":1,"b":"\\u00e9"}\n')) as {
      id: string;
    }[];
    expect(ids.map(({ id }) => id)).toEqual([hash, `${hash}-2`, `${hash}-3`]);
  });

  test('are the named field, which stays a field of its own', async () => {
    expect(await loaded('[{"key":7,"a":1}]', { id: 'key' })).toEqual([{ id: '7', key: 7, a: 1 }]);
  });

  test('given twice, missing or of another kind are reported together', async () => {
    const content = '{"id":"a"}\n{"id":"a"}\n{"id":[1]}\n{"id":true}\n';
    await expect(loaded(content)).rejects.toMatchObject({
      name: 'UserError',
      code: 'duplicate-id',
      message: '3 of 4 records of FILE cannot be loaded',
      records: [
        { problem: 'its id "a" is already the id of line 1', place: { path: expect.any(String), line: 2 } },
        { problem: '[1] cannot be an id', place: { path: expect.any(String), line: 3 } },
        { problem: 'true cannot be an id', place: { path: expect.any(String), line: 4 } },
      ],
    });
    await expect(loaded('[\n{"key":1},\n{"a":1}]', { id: 'key' })).rejects.toMatchObject({
      message: '1 of 2 records of FILE cannot be loaded',
      records: [{ problem: 'it has no field `key`', place: { path: expect.any(String), line: 3 } }],
      help: "the row has `a`; `id` names the field that holds each row's id, and without it ids come from the content",
    });
  });

  test('are unique, whatever the rows', async () => {
    const value = fc.constantFrom(1, 2, 'x', null);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ a: value, b: value }), { minLength: 1 }), async (made) => {
        const ids = ((await loaded(JSON.stringify(made))) as { id: string }[]).map(({ id }) => id);
        expect(new Set(ids).size).toBe(made.length);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a broken file is an error that names file, line and column', () => {
  test.each([
    ['JSON', '[\n {"a": 1},\n {"a": }\n]', {}, "FILE:3:8: not JSON: unexpected token '}'"],
    ['JSON that ends', '[{"a": 1}', {}, 'FILE:1:10: not JSON: it ends too early'],
    ['JSONL', '{"a": 1}\n{"a": nope}\n', {}, "FILE:2:8: the line is not JSON: unexpected token 'o'"],
    [
      'a JSON object',
      '{"data": [1]}',
      { type: 'json' },
      'FILE holds one object with `data`, not a list of rows',
    ],
    [
      'a JSON object of many lines',
      '{\n"data": [1]}',
      {},
      'FILE holds one object with `data`, not a list of rows',
    ],
    ['JSON that is one text', '"rows"', { type: 'json' }, 'FILE holds one value, not a list of rows'],
    [
      'JSONL with commas',
      '{"a": 1},\n{"a": 2}\n',
      {},
      'FILE:1:9: not JSON: there is a comma after the value',
    ],
    [
      'JSON objects without a list',
      '{\n"a": 1\n}\n{\n"a": 2\n}\n',
      {},
      'FILE:4:1: not JSON: another value begins here',
    ],
    ['JSON with a comma too many', '[{"a": 1},]', {}, 'FILE:1:11: not JSON: there is a comma before `]`'],
    [
      'JSON in single quotes',
      "[{'a': 1}]",
      {},
      'FILE:1:3: not JSON: text needs double quotes, not single ones',
    ],
    ['a list of numbers', '[{"a": 1},\n 2]', {}, '1 of 2 records of FILE cannot be loaded'],
    ['a JSONL line that is a list', '{"a": 1}\n[2]', {}, '1 of 2 records of FILE cannot be loaded'],
    ['a ragged CSV', 'a,b\n1,2\n1,2,3\n', {}, 'FILE:3: the row has 3 values where there are 2 columns'],
    [
      'a CSV with an open quote',
      'a,b\n1,"2\n3,4\n',
      {},
      'FILE:2: not CSV: a quotation mark in the row that starts here is never closed',
    ],
    [
      'a CSV with text after a quote',
      'a,b\n1,"2"x\n',
      {},
      'FILE:2: not CSV: text follows the quotation mark that closes a value',
    ],
    [
      'a CSV with a quote within',
      'a,b\n1,2"3\n',
      {},
      'FILE:2: not CSV: an unquoted value contains a quotation mark',
    ],
    ['a CSV header that names a column twice', 'a,b,a\n1,2,3\n', {}, 'FILE:1: two columns have the name `a`'],
    ['nothing', '', {}, 'FILE holds no rows'],
    [
      'a CSV of a header alone',
      'a,b\n',
      {},
      'FILE holds no rows: its only line is taken for the names of the columns',
    ],
    [
      'JSONL that is not UTF-8',
      Buffer.from('{"a": "\xe9"}', 'latin1'),
      {},
      'FILE:1: the line is not UTF-8 text',
    ],
    ['CSV that is not UTF-8', Buffer.from('a\n\xe9\n', 'latin1'), {}, 'FILE:2: the line is not UTF-8 text'],
    ['JSON that is not UTF-8', Buffer.from('[\n"\xe9"]', 'latin1'), {}, 'FILE:2: the line is not UTF-8 text'],
    [
      'UTF-16',
      Buffer.from('\uFEFF{"a": 1}', 'utf16le'),
      { type: 'jsonl' },
      'FILE:1: the line is not UTF-8 text (it looks like UTF-16)',
    ],
    [
      'a bottomless value',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
      {},
      'FILE:1: item 1: the value is nested more than 64 levels deep',
    ],
  ])('%s', async (_, content, config, message) => {
    await expect(loaded(content, config)).rejects.toMatchObject({ name: 'UserError', message });
  });
});

test('a folder without files of rows is no source of them', async () => {
  await using rig = await openStageRig();
  const action = { config: { type: 'auto', records: rig.folder }, outputs: { records: 'out' } };
  await expect(rig.run(load, action)).rejects.toMatchObject({
    name: 'UserError',
    message: `${rig.folder} is neither a file nor a folder with JSON, JSONL, CSV, TSV or Parquet files`,
  });
});

test('whatever a file contains, it gives records or a user error', async () => {
  const json = fc.json().map((text) => Buffer.from(text));
  const lines = fc.array(fc.json()).map((values) => Buffer.from(values.join('\n')));
  const table = fc.array(
    fc.array(fc.constantFrom('a', '"', '""', 'é', '', '\r', ' ')).map((cells) => cells.join(',')),
  );
  const content = fc.oneof(
    json,
    lines,
    table.map((rows) => Buffer.from(rows.join('\n'))),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  const type = fc.constantFrom('auto', 'json', 'jsonl', 'csv', 'tsv');
  await fc.assert(
    fc.asyncProperty(content, type, async (bytes, as) => {
      const outcome = await loaded(bytes, { type: as }).catch((error: Error) => error);
      const ids = Array.isArray(outcome) ? outcome.map((record) => (record as { id: unknown }).id) : [];
      expect(ids.every((id) => typeof id === 'string' && id !== '')).toBe(true);
      // Rethrown unchanged, so that a failure shows what it was; a temporary folder that vanished is one too.
      if (outcome instanceof Error && outcome.name !== 'UserError') throw outcome;
    }),
    { numRuns: 150 },
  );
});

test.each([
  ['jsonl', '{"a":1}\n{"a":[1e999]}', 'FILE:2: a number is larger than a 64-bit float can be'],
  ['json', '[{"a":1},\n{"a":-1e999}]', 'FILE:2: item 2: a number is larger than a 64-bit float can be'],
])(
  'a number that becomes infinite when it is read is refused with its line (%s)',
  async (_, content, message) => {
    await expect(loaded(content)).rejects.toThrow(message);
  },
);
