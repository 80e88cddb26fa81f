import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { jsonFault } from '../../src/formats/json-fault.ts';
import { JsonlWriter, readJsonl } from '../../src/formats/jsonl.ts';
import { openStageRig } from '../stages/stage-rig.ts';

async function valuesOf(path: string): Promise<{ number: number; value: Json }[]> {
  const lines = [];
  for await (const line of readJsonl(path)) lines.push(line);
  return lines;
}

test('any JSON value is read back as it was written, one per line', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 4 })), async (values) => {
      await using rig = await openStageRig();
      const writer = await JsonlWriter.create(rig.path('file'));
      for (const value of values) await writer.write(value);
      await writer.close();
      const expected = values.map((value, index) => ({
        number: index + 1,
        value: JSON.parse(JSON.stringify(value)),
      }));
      // As text, because a number such as 1e21 is read as one that keeps its spelling.
      expect(JSON.stringify(await valuesOf(rig.path('file')))).toBe(JSON.stringify(expected));
    }),
    { numRuns: 50 },
  );
});

test('lines longer than the reader’s and the writer’s buffers are whole', async () => {
  await using rig = await openStageRig();
  const values = ['é'.repeat(300_000), 'b', '😀'.repeat(200_000)];
  const writer = await JsonlWriter.create(rig.path('file'));
  for (const value of values) await writer.write(value);
  await writer.close();
  expect((await valuesOf(rig.path('file'))).map(({ value }) => value)).toEqual(values);
});

test('a file is never overwritten', async () => {
  await using rig = await openStageRig();
  await rig.write('file', '1\n');
  await expect(JsonlWriter.create(rig.path('file'))).rejects.toMatchObject({ code: 'EEXIST' });
});

test('line numbers count empty lines, and the last line needs no end', async () => {
  await using rig = await openStageRig();
  await rig.write('file', '\n1\r\n  \n2');
  expect(await valuesOf(rig.path('file'))).toEqual([
    { number: 2, value: 1 },
    { number: 4, value: 2 },
  ]);
});

test.each([
  ['{"a": }', 1, 7, "unexpected token '}'"],
  ['[1,\n 2,\n x]', 3, 2, "unexpected token 'x'"],
  ['{"a": "b"\n', 2, 1, 'it ends too early'],
  ['{"a": "b" "c": 1}', 1, 11, "expected ',' or '}' after property value"],
  ['[1, 2,\n]', 2, 1, 'there is a comma before `]`'],
  ["{'a': 1}", 1, 2, 'text needs double quotes, not single ones'],
  ['', 1, 1, 'it ends too early'],
])('the fault of %j is at line %i, column %i: %s', (text, line, column, reason) => {
  let cause: unknown;
  try {
    JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  expect(jsonFault(cause, text)).toEqual({ line, column, reason });
});
