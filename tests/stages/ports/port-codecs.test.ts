import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText } from '../../../src/core/index.ts';
import { type TensorToWrite, writeSafetensors } from '../../../src/formats/safetensors/write-safetensors.ts';
import { stringListTensor } from '../../../src/stages/ports/packed-rows.ts';
import { portCodecs } from '../../../src/stages/ports/port-codecs.ts';
import { readAll } from '../../../src/stages/ports/port-contents.ts';
import type { SegmentRole } from '../../../src/text/records.ts';
import { openStageRig } from '../stage-rig.ts';

const role = fc.constantFrom<SegmentRole>('prompt', 'header', 'response');
const ids = fc.array(fc.nat({ max: 100_000 }), { maxLength: 8 }).map((list) => Int32Array.from(list));

test('any records are read back from a records file as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })),
      async (rows) => {
        await using rig = await openStageRig();
        const records = rows.map((row, index) => JSON.parse(JSON.stringify({ ...row, id: `${index}\n"é` })));
        const { content, close } = await portCodecs.records.openWriter(rig.path('r'));
        for (const record of records) await content.write(record);
        await close();
        // A number such as 1e21 comes back as one that keeps its spelling.
        const read = await readAll(portCodecs.records.read(rig.path('r')));
        expect(read.map(jsonText)).toEqual(records.map(jsonText));
      },
    ),
    { numRuns: 50 },
  );
});

const response = { id: 'a', prompt: 'p', expected: 'e', fields: {}, response: 'r', finish_reason: 'stop' };
const rated = {
  id: 'b',
  prompt: 'p',
  expected: 'e',
  fields: { x: 1 },
  log_likelihood: -1.5,
  scored_tokens: 2,
};

test('responses are read back as they were written, by any writer', async () => {
  await using rig = await openStageRig();
  await rig.writeRecords('r', [response, rated]);
  expect(await readAll(portCodecs.responses.read(rig.path('r')))).toEqual([response, rated]);
});

test.each([
  [{ ...response, fields: undefined }, 'has no `fields`'],
  [{ ...response, response: 7 }, 'has 7 as `response`'],
  [{ ...response, finish_reason: 'tired' }, 'has "tired" as `finish_reason`'],
  [{ ...rated, log_likelihood: Number.NaN }, 'has null as `log_likelihood`'],
  [['a list'], 'has no `id`'],
])('a line that a command wrote and that is no response is refused by its place: %j', async (line, what) => {
  await using rig = await openStageRig();
  await rig.write('r', `${JSON.stringify(response)}\n${JSON.stringify(line)}\n`);
  await expect(readAll(portCodecs.responses.read(rig.path('r')))).rejects.toMatchObject({
    name: 'UserError',
    code: 'bad-response',
    message: `${rig.path('r')}:2: the response ${what}`,
  });
});

test('batches that a command wrote without their recipe are refused', async () => {
  await using rig = await openStageRig();
  const numbers = (name: string): TensorToWrite => ({
    name,
    dtype: 'I32',
    shape: [0],
    read: () => new Int32Array(),
  });
  const tensors = ['inputs', 'targets', 'ends', 'prompt_lengths'].map(numbers);
  const ids = stringListTensor('ids', []);
  await writeSafetensors(rig.path('a'), { tensors: [...tensors, ids], metadata: { vocabulary: 'v' } });
  await expect(portCodecs.batches.read(rig.path('a')).read()).rejects.toMatchObject({
    name: 'UserError',
    code: 'bad-metadata',
    message: `${rig.path('a')}: the metadata \`batch_size\` is missing, not a whole number`,
  });
});

test('any tokenized records are read back from a tokens file as they were written, byte for byte the same twice', async () => {
  const segments = fc.array(fc.record({ role, end: fc.nat(50) }), { maxLength: 4 });
  const record = fc.record({ id: fc.string({ unit: 'grapheme' }), tokens: ids, segments });
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 6 }), async (records) => {
      await using rig = await openStageRig();
      const value = { records, vocabulary: 'r50k_base', endOfText: 50256 };
      for (const name of ['a', 'b'])
        await (await portCodecs.tokens.openWriter(rig.path(name))).content.write(value);
      expect(await portCodecs.tokens.read(rig.path('a')).read()).toEqual(value);
      expect(await readFile(rig.path('a'))).toEqual(await readFile(rig.path('b')));
    }),
    { numRuns: 30 },
  );
});

test('any batches are read back from a batches file as they were written', async () => {
  const example = fc
    .record({ id: fc.string(), inputs: ids, promptLength: fc.nat(9) })
    .map((made) => ({ ...made, targets: made.inputs.map((token) => (token % 3 === 0 ? -100 : token)) }));
  const recipe = fc.record({
    batchSize: fc.nat(),
    shuffle: fc.boolean(),
    dropLast: fc.boolean(),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(example, { maxLength: 6 }), recipe, async (examples, made) => {
      await using rig = await openStageRig();
      const value = {
        examples,
        recipe: made,
        vocabulary: 'r50k_base',
        endOfText: 50256,
        answerEnds: [2, 50256],
      };
      await (await portCodecs.batches.openWriter(rig.path('a'))).content.write(value);
      expect(await portCodecs.batches.read(rig.path('a')).read()).toEqual(value);
    }),
    { numRuns: 30 },
  );
});
