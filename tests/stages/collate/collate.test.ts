import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { collateStage } from '../../../src/stages/collate/collate-stage.ts';
import * as collate from '../../../src/stages/collate/run-collate.ts';
import { portCodecs } from '../../../src/stages/ports/port-codecs.ts';
import type { SegmentRole } from '../../../src/text/records.ts';
import { openStageRig, type StageRig } from '../stage-rig.ts';

const defaults = {
  batch_size: 8,
  max_length: 4,
  too_long: 'truncate',
  train_on: 'all',
  packing: false,
  shuffle: true,
  drop_last: false,
  seed: 7,
  expect: { trained_token_in_every_example: false, minimum_examples: 0, every_answer_whole: false },
};

/** Two records: one of three tokens, and one of six whose first five are its prompt. */
async function collated(rig: StageRig, config: JsonObject) {
  const segments = (promptEnd: number, end: number): { role: SegmentRole; end: number }[] => [
    { role: 'prompt', end: promptEnd },
    { role: 'response', end },
  ];
  const { content } = await portCodecs.tokens.openWriter(rig.path('tokens'));
  await content.write({
    records: [
      { id: 'short', tokens: Int32Array.of(1, 2, 3), segments: segments(1, 3) },
      { id: 'long', tokens: Int32Array.of(1, 2, 3, 4, 5, 6), segments: segments(5, 6) },
    ],
    vocabulary: 'r50k_base',
    endOfText: 50256,
  });
  await rig.run(collate, {
    config: { ...defaults, ...config },
    inputs: { tokens: { train: 'tokens' } },
    outputs: { batches: { train: 'batches' } },
  });
  return portCodecs.batches.read(rig.path('batches')).read();
}

test('a record that is too long is cut, and a warning says how many were', async () => {
  await using rig = await openStageRig();
  expect(await collated(rig, { drop_last: true })).toEqual({
    examples: [
      { id: 'short', inputs: Int32Array.of(1, 2, 3), targets: Int32Array.of(2, 3, 50256), promptLength: 1 },
      { id: 'long', inputs: Int32Array.of(1, 2, 3, 4), targets: Int32Array.of(2, 3, 4, 5), promptLength: 4 },
    ],
    recipe: { batchSize: 8, shuffle: true, dropLast: true, seed: 7 },
    vocabulary: 'r50k_base',
    endOfText: 50256,
    answerEnds: [50256],
  });
  expect(rig.reports).toEqual([
    {
      type: 'note',
      level: 'warning',
      message:
        'train: 1 of 2 records are longer than max_length 4 (the longest has 6 tokens); they were cut, so the model does not learn where they end',
      records: [{ id: 'long' }],
    },
    {
      type: 'note',
      level: 'warning',
      message:
        'train: 1 of 2 records have answers that begin after max_length 4 (1 in all), so the model learns nothing of them',
      records: [{ id: 'long' }],
    },
  ]);
});

test('a record that is too long can be left out, or stop the run', async () => {
  await using rig = await openStageRig();
  expect((await collated(rig, { too_long: 'drop' })).examples.map(({ id }) => id)).toEqual(['short']);
  await using other = await openStageRig();
  await expect(collated(other, { too_long: 'error' })).rejects.toMatchObject({
    code: 'record-too-long',
    message: 'train: 1 of 2 records are longer than max_length 4 (the longest has 6 tokens)',
    records: [{ id: 'long', problem: 'it has 6 tokens' }],
  });
});

test('an example without a token to learn is a warning, or an error where `expect` says so', async () => {
  await using rig = await openStageRig();
  await collated(rig, { train_on: 'response' });
  expect(rig.reports.at(-1)).toEqual({
    type: 'note',
    level: 'warning',
    message: 'train: 1 of 2 examples have no token to learn: long',
  });
  await using other = await openStageRig();
  const expected = { ...defaults.expect, trained_token_in_every_example: true };
  await expect(collated(other, { train_on: 'response', expect: expected })).rejects.toMatchObject({
    name: 'UserError',
    code: 'expectation-failed',
    message: 'train: 1 of 2 examples have no token to learn',
    records: [{ id: 'long' }],
    help: 'raise `max_length` (4), so that their responses are not cut off',
  });
});

test('an answer that is cut stops the run where `expect` says so, one that is whole does not', async () => {
  const expected = { ...defaults.expect, every_answer_whole: true };
  await using rig = await openStageRig();
  await expect(collated(rig, { max_length: 5, expect: expected })).rejects.toMatchObject({
    code: 'expectation-failed',
    message: 'train: 1 of 2 records have an answer that max_length 5 cuts',
    records: [{ id: 'long', problem: 'it has 6 tokens' }],
  });
  await using other = await openStageRig();
  await collated(other, { max_length: 6, expect: expected });
  expect(other.reports).toEqual([]);
});

test('fewer examples than `expect` says stop the run', async () => {
  await using rig = await openStageRig();
  const expected = { ...defaults.expect, minimum_examples: 3 };
  await expect(collated(rig, { expect: expected })).rejects.toMatchObject({
    code: 'expectation-failed',
    message: 'train: there are 2 examples where `expect` asks for at least 3',
  });
});

test('packing and training on the response alone exclude each other', () => {
  expect(collateStage.check?.({ ...defaults, packing: true, train_on: 'response' })).toEqual([
    {
      pointer: '/packing',
      code: 'packing-needs-all',
      message: 'packing joins records, so training on `response` alone is not possible',
      help: 'set `train_on: all`, `packing: examples` or `packing: false`',
    },
  ]);
  expect(collateStage.check?.({ ...defaults, packing: true })).toEqual([]);
  expect(collateStage.check?.({ ...defaults, packing: 'examples', train_on: 'response' })).toEqual([]);
});
