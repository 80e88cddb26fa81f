import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { portCodecs } from '../../../src/stages/ports/port-codecs.ts';
import { openPreferenceRig } from '../../training/preference-rig.ts';

let rig: Awaited<ReturnType<typeof openPreferenceRig>>;
beforeAll(async () => {
  rig = await openPreferenceRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

const model = 'training/tiny-gpt2';
const template = { prompt: '{{ prompt }}', header: ' w9', response: '{{ completion }}' };
const paired = { template, preference: 'paired' };
const unpaired = { template, preference: 'unpaired' };
const none = -100;

const pair = (chosen: string, rejected: string, prompt = 'w1 w2'): JsonObject => ({
  prompt,
  chosen,
  rejected,
});
const labeled = (completion: string, label: boolean, prompt = 'w1 w2'): JsonObject => ({
  prompt,
  completion,
  label,
});

async function collated(rows: readonly JsonObject[], format: JsonObject, collate: JsonObject = {}) {
  rig.reports.length = 0;
  const batches = await rig.batches(rows, { model, format, collate });
  const notes = rig.reports.map((report) => (report.type === 'note' ? report.message : ''));
  return { batches, notes };
}

const ids = (values: Int32Array) => [...values];

test('of a pair the answers are compared with the end of the text, by default without what is before them', async () => {
  const { batches } = await collated([pair(' w3 w4', ' w5')], paired);
  if (batches.preference !== 'paired') throw new Error('these are no pairs');
  const [{ chosen, rejected } = { chosen: undefined, rejected: undefined }] = batches.examples;
  expect(
    chosen && {
      ...chosen,
      inputs: ids(chosen.inputs),
      targets: ids(chosen.targets),
      learned: ids(chosen.learned),
    },
  ).toEqual({
    inputs: [1, 2, 9, 3, 4],
    targets: [none, none, 3, 4, 59],
    learned: [2, 9, 3, 4, 59],
    promptLength: 2,
  });
  expect(rejected && { ...rejected, inputs: ids(rejected.inputs), targets: ids(rejected.targets) }).toEqual({
    inputs: [1, 2, 9, 5],
    targets: [none, none, 5, 59],
    promptLength: 2,
  });
});

test('with `response_with_header` the header is compared too', async () => {
  const { batches } = await collated([pair(' w3', ' w5')], paired, { train_on: 'response_with_header' });
  if (batches.preference !== 'paired') throw new Error('these are no pairs');
  expect(batches.examples.map(({ chosen }) => [ids(chosen.targets), ids(chosen.learned)])).toEqual([
    [
      [none, 9, 3, 59],
      [none, 9, 3, 59],
    ],
  ]);
});

test('pairs that are lost, equal or cut are counted', async () => {
  const rows = [
    pair(' w3', ' w5', 'w1 w2 w3 w4 w5'), // nothing of the answers is left
    pair(' w3', ' w3'),
    pair(' w3 w4 w5 w6', ' w5'),
    pair(' w3', ' w5'),
  ];
  const { batches, notes } = await collated(rows, paired, { max_length: 5 });
  expect(batches.examples.map(({ id }) => id)).toEqual(['row-1', 'row-2', 'row-3']);
  expect(notes).toEqual([
    '2 of 4 records are longer than max_length 5 (the longest has 7 tokens); they were cut, so the model does not learn where they end',
    '1 of 4 records have an answer without a token to compare, as it is empty or begins after max_length 5; they were left out',
    '1 of 3 pairs have equal answers, of which no preference is learned',
  ]);
  await expect(
    collated(rows, paired, { max_length: 5, expect: { trained_token_in_every_example: true } }),
  ).rejects.toMatchObject({ code: 'expectation-failed', records: [{ id: 'row-0' }] });
  await expect(collated(rows, paired, { max_length: 5, too_long: 'error' })).rejects.toMatchObject({
    code: 'record-too-long',
    records: [
      { id: 'row-0', problem: 'it has 7 tokens' },
      { id: 'row-2', problem: 'it has 7 tokens' },
    ],
  });
});

test('a labeled answer comes with the one before it in its group, as in TRL', async () => {
  const rows = [
    labeled(' w3', true),
    labeled(' w4 w5', false, 'w6'),
    labeled(' w7', true, 'w8'),
    labeled(' w10', true, 'w11'),
  ];
  const { batches } = await collated(rows, unpaired, { batch_size: 3 });
  if (batches.preference !== 'unpaired') throw new Error('these are no labeled answers');
  expect(
    batches.examples.map(({ answer, desirable, mismatched }) => ({
      desirable,
      answer: ids(answer.inputs),
      mismatched: [ids(mismatched.inputs), ids(mismatched.targets)],
    })),
  ).toEqual([
    {
      desirable: true,
      answer: [1, 2, 9, 3],
      mismatched: [
        [1, 2, 9, 7],
        [none, none, 7, 59],
      ],
    },
    {
      desirable: false,
      answer: [6, 9, 4, 5],
      mismatched: [
        [6, 9, 3],
        [none, 3, 59],
      ],
    },
    {
      desirable: true,
      answer: [8, 9, 7],
      mismatched: [
        [8, 9, 4, 5],
        [none, 4, 5, 59],
      ],
    },
    {
      desirable: true,
      answer: [11, 9, 10],
      mismatched: [
        [11, 9, 7],
        [none, 7, 59],
      ],
    },
  ]);
});

test('preferences share no row, and are not mixed with examples', async () => {
  await expect(collated([pair(' w3', ' w5')], paired, { packing: 'examples' })).rejects.toMatchObject({
    code: 'packing-needs-examples',
  });
});

test('what is written is read back, with the log-probabilities of a reference', async () => {
  const { batches } = await collated([pair(' w3 w4', ' w5'), pair(' w6', ' w7 w8')], paired);
  if (batches.preference !== 'paired') throw new Error('these are no pairs');
  const referred = {
    ...batches,
    examples: batches.examples.map(({ chosen, rejected, ...rest }, index) => ({
      ...rest,
      chosen: { ...chosen, reference: -index - 0.5 },
      rejected: { ...rejected, reference: -index - 0.25 },
    })),
  };
  const writer = await portCodecs.batches.openWriter(rig.path('referred'));
  await writer.content.write(referred);
  expect(await portCodecs.batches.read(rig.path('referred')).read()).toEqual(referred);
});
