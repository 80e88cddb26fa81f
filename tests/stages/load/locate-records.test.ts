import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { loadStage } from '../../../src/stages/load/load-stage.ts';
import * as load from '../../../src/stages/load/run-load.ts';
import { openStageRig } from '../stage-rig.ts';

/** The line of each record that is loaded from a file of that content, in the records' order. */
async function linesOf(content: string, config: JsonObject = {}) {
  await using rig = await openStageRig();
  const given = { type: 'auto', records: await rig.write('data', content), ...config };
  await rig.run(load, { config: given, outputs: { records: 'out' } });
  const ids = (await rig.readRecords('out')).map((record) => (record as { id: string }).id);
  const places = await loadStage.locate?.({ config: given, ids: [...ids, 'absent'] });
  expect(places?.size).toBe(ids.length);
  return ids.map((id) => places?.get(id)?.line);
}

test.each([
  ['JSONL with empty lines', '{"a":1}\n\n{"a":2}\r\n{"a":1}\n', [1, 3, 4]],
  ['a JSON list with an item a line', '[\n  {"a": "x[{\\"]"},\n  {"a": [1, {"b": 2}]}\n]', [2, 3]],
  ['a JSON list with items of many lines', '[{\n"a": 1\n},\n\n{"a":\n [2,\n 3]}, {"a": 4}]', [1, 5, 7]],
  ['a JSON list after a byte order mark', '\uFEFF\n[\n{"a": 1}\n,\n{"a": "\\\\"},{"a": ","}]', [3, 5, 5]],
  ['CSV', 'a,b\n1,2\n\n3,4\n', [2, 4]],
  ['CSV with line breaks within values', 'a,b\n"x\ny",1\n2,"\n\n3"\n4,5\n', [2, 4, 7]],
  ['CSV with CRLF within values', 'a,b\r\n"x\r\ny",1\r\n\r\n2,"z"\r\n4,"5\r\n"\r\n6,7', [2, 5, 6, 8]],
  ['TSV', 'a\tb\n"\n"\t1\n2\t3\n', [2, 4]],
  ['TSV without quotes', 'a\tb\n"\t1\n2\t3\n', [2, 3], { quotes: false }],
])(
  'a record of %s is found at the line on which it begins',
  async (_, content, lines, config?: JsonObject) => {
    expect(await linesOf(content, config)).toEqual(lines);
  },
);

test('given ids and the hashes of equal rows are found', async () => {
  expect(await linesOf('{"key":7}\n{"key":5}\n', { id: 'key' })).toEqual([1, 2]);
  expect(await linesOf('[{"a":1},\n{"a":1},\n{"a":1}]')).toEqual([1, 2, 3]);
});

test('records of no file are found nowhere', async () => {
  expect(await loadStage.locate?.({ config: { type: 'auto', model: 'openai:m' }, ids: ['a'] })).toEqual(
    new Map(),
  );
});
