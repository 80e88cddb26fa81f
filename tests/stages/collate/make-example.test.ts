import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeExample, packExamples, type TrainOn } from '../../../src/stages/collate/make-example.ts';
import type { TokenizedRecord } from '../../../src/text/records.ts';
import { padBatch } from '../../../src/training/batches/micro-batch.ts';

const endOfText = 50256;

const record = (tokens: readonly number[], ends?: { prompt: number; header: number }): TokenizedRecord => ({
  id: tokens.join(),
  tokens: Int32Array.from(tokens),
  segments: [
    { role: 'prompt', end: ends?.prompt ?? 0 },
    { role: 'header', end: ends?.header ?? 0 },
    { role: 'response', end: tokens.length },
  ],
});

/** The reference's custom_collate_fn, step by step: pad, shift, ignore all but the first end of text, mask the prompt, cut. */
function referenceCollate(
  batch: readonly TokenizedRecord[],
  { maxLength, promptLengths }: { maxLength: number; promptLengths: readonly number[] },
) {
  const width = Math.max(...batch.map(({ tokens }) => tokens.length + 1));
  return batch.map(({ tokens }, row) => {
    const padded = [...tokens, endOfText];
    while (padded.length < width) padded.push(endOfText);
    const inputs = padded.slice(0, -1);
    const targets = padded.slice(1);
    let ends = 0;
    for (let index = 0; index < targets.length; index++) {
      if (targets[index] !== endOfText) continue;
      ends += 1;
      if (ends > 1) targets[index] = -100;
    }
    for (let index = 0; index < (promptLengths[row] ?? 0) - 1; index++) targets[index] = -100;
    return { inputs: inputs.slice(0, maxLength), targets: targets.slice(0, maxLength) };
  });
}

function paddedRows(batch: readonly TokenizedRecord[], options: { trainOn: TrainOn; maxLength: number }) {
  const examples = batch.map((each) => makeExample(each, { ...options, endOfText }));
  const { inputs, targets, length } = padBatch(examples, { endOfText });
  return batch.map((_, row) => ({
    inputs: [...inputs.subarray(row * length, (row + 1) * length)],
    targets: [...targets.subarray(row * length, (row + 1) * length)],
  }));
}

describe('collate', () => {
  test('the reference’s three rows give its targets', () => {
    const rows = [
      [0, 1, 2, 3, 4],
      [5, 6],
      [7, 8, 9],
    ].map((tokens) => record(tokens));
    expect(paddedRows(rows, { trainOn: 'all', maxLength: 1024 })).toEqual([
      { inputs: [0, 1, 2, 3, 4], targets: [1, 2, 3, 4, 50256] },
      { inputs: [5, 6, 50256, 50256, 50256], targets: [6, 50256, -100, -100, -100] },
      { inputs: [7, 8, 9, 50256, 50256], targets: [8, 9, 50256, -100, -100] },
    ]);
  });

  test("any batch equals the reference's, with ends of text inside, masks and cuts", () => {
    const rows = fc
      .array(fc.oneof({ weight: 5, arbitrary: fc.nat(99) }, fc.constant(endOfText)), {
        minLength: 1,
        maxLength: 12,
      })
      .chain((tokens) =>
        fc
          .tuple(fc.nat(tokens.length), fc.nat(tokens.length))
          .map(([a, b]) => record(tokens, { prompt: Math.min(a, b), header: Math.max(a, b) })),
      );
    const masks = fc.constantFrom<TrainOn>('all', 'response_with_header', 'response');
    const batches = fc.array(rows, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(batches, masks, fc.integer({ min: 1, max: 14 }), (batch, trainOn, maxLength) => {
        const promptLengths = batch.map(({ segments }) =>
          trainOn === 'all' ? 0 : (segments[trainOn === 'response' ? 1 : 0]?.end ?? 0),
        );
        expect(paddedRows(batch, { trainOn, maxLength })).toEqual(
          referenceCollate(batch, { maxLength, promptLengths }),
        );
      }),
    );
  });

  test('a sample starts where the prompt ends, before the header', () => {
    const example = makeExample(record([1, 2, 3, 4, 5], { prompt: 2, header: 4 }), {
      trainOn: 'response',
      endOfText,
      maxLength: 1024,
    });
    expect(example).toEqual({
      id: '1,2,3,4,5',
      inputs: Int32Array.of(1, 2, 3, 4, 5),
      targets: Int32Array.of(-100, -100, -100, 5, 50256),
      promptLength: 2,
    });
  });
});

describe('packing', () => {
  test('joins records with an end of text after each and cuts the whole', () => {
    expect(packExamples([record([1, 2, 3]), record([4]), record([5, 6])], { length: 4, endOfText })).toEqual([
      {
        id: 'packed-1',
        inputs: Int32Array.of(1, 2, 3, 50256),
        targets: Int32Array.of(2, 3, 50256, 4),
        promptLength: 0,
      },
      {
        id: 'packed-2',
        inputs: Int32Array.of(4, 50256, 5, 6),
        targets: Int32Array.of(50256, 5, 6, 50256),
        promptLength: 0,
      },
    ]);
    expect(packExamples([], { length: 4, endOfText })).toEqual([]);
  });

  test('no token is lost: each but the first is the target of exactly one position', () => {
    const tokens = fc.array(fc.nat(99), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 9 }), fc.integer({ min: 1, max: 7 }), (texts, length) => {
        const stream = texts.flatMap((text) => [...text, endOfText]);
        const examples = packExamples(
          texts.map((text) => record(text)),
          { length, endOfText },
        );
        expect(examples.flatMap(({ targets }) => [...targets])).toEqual(stream.slice(1));
        expect(examples.flatMap(({ inputs }) => [...inputs])).toEqual(stream.slice(0, -1));
        expect(examples.slice(0, -1).every(({ inputs }) => inputs.length === length)).toBe(true);
      }),
    );
  });
});

test('what is masked is never learned, alone or in a packed text', () => {
  const masked: TokenizedRecord = {
    id: 'a',
    tokens: Int32Array.of(1, 2, 3, 4, 5),
    segments: [
      { role: 'prompt', end: 1 },
      { role: 'masked', end: 3 },
      { role: 'response', end: 4 },
      { role: 'end', end: 5 },
    ],
  };
  const { targets } = makeExample(masked, { trainOn: 'all', endOfText, maxLength: 10 });
  expect([...targets]).toEqual([-100, -100, 4, 5, -100]);
  const [packed] = packExamples([record([9]), masked], { length: 10, endOfText });
  expect(packed).toMatchObject({
    inputs: Int32Array.of(9, endOfText, 1, 2, 3, 4),
    targets: Int32Array.of(endOfText, 1, -100, -100, 4, 5),
  });
});
