import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { portCodecs } from '../../../src/stages/ports/port-codecs.ts';
import * as tokenize from '../../../src/stages/tokenize/run-tokenize.ts';
import { tokenizeStage } from '../../../src/stages/tokenize/tokenize-stage.ts';
import { openStageRig } from '../stage-rig.ts';

const wordLevel = fileURLToPath(new URL('../../fixtures/text/word-level.tokenizer.json', import.meta.url));

test('the tokenizer port gives ids, vocabulary and end of text', async () => {
  await using rig = await openStageRig();
  await mkdir(rig.path('tokenizer'));
  await copyFile(wordLevel, rig.path('tokenizer/tokenizer.json'));
  const segments = [
    { role: 'prompt', text: 'What is the capital of France?' },
    { role: 'response', text: ' Paris!' },
  ];
  await rig.writeRecords('in', [{ id: 'a', segments, fields: {} }]);
  await rig.run(tokenize, {
    config: {},
    inputs: { records: 'in', tokenizer: 'tokenizer' },
    outputs: { tokens: 'out' },
  });
  const made = await portCodecs.tokens.read(rig.path('out')).read();
  expect(made).toEqual({
    records: [
      {
        id: 'a',
        tokens: Int32Array.of(20, 2, 4, 12, 3, 14, 9, 18, 5),
        segments: [
          { role: 'prompt', end: 7 },
          { role: 'response', end: 9 },
        ],
      },
    ],
    vocabulary: expect.stringMatching(/^sha256:/),
    endOfText: 0,
  });
});

test('records that were not formatted are refused with what to do', async () => {
  await using rig = await openStageRig();
  await rig.writeRecords('in', [{ id: 'a', instruction: 'i' }]);
  const config = { encoding: 'r50k_base' };
  await expect(
    rig.run(tokenize, { config, inputs: { records: 'in' }, outputs: { tokens: 'out' } }),
  ).rejects.toMatchObject({
    name: 'UserError',
    code: 'not-formatted',
    message: '1 of 1 records cannot be tokenized',
    records: [{ id: 'a', problem: 'it was not written with a template' }],
    help: 'put a `format` stage in front of this one',
  });
});

test('the tokenizer port is there exactly where no encoding is named', () => {
  expect(Object.keys(tokenizeStage.ports({}).inputs)).toEqual(['records', 'tokenizer']);
  expect(Object.keys(tokenizeStage.ports({ encoding: 'r50k_base' }).inputs)).toEqual(['records']);
});
