import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tokenizeRecord } from '../../../src/stages/tokenize/run-tokenize.ts';
import type { SegmentRole } from '../../../src/text/records.ts';
import { openEncoding } from '../../../src/text/tokenizer/encoding-tokenizer.ts';

const tokenizer = await openEncoding('r50k_base');
const segmentsOf = (prompt: string, response: string) => [
  { role: 'prompt' as const, text: prompt },
  { role: 'response' as const, text: response },
];

test('a segment ends with the tokens of the text up to there', () => {
  const record = { id: 'a', segments: segmentsOf('Hello, world!', '\n\nGood morning'), fields: {} };
  expect(tokenizeRecord(record, tokenizer)).toEqual({
    id: 'a',
    tokens: tokenizer.encode('Hello, world!\n\nGood morning'),
    segments: [
      { role: 'prompt', end: tokenizer.encode('Hello, world!').length },
      { role: 'response', end: tokenizer.encode('Hello, world!\n\nGood morning').length },
    ],
  });
});

test('a token that spans a boundary belongs to the later segment', () => {
  const record = { id: 'a', segments: segmentsOf('the hel', 'lo'), fields: {} };
  expect(tokenizeRecord(record, tokenizer)).toEqual({
    id: 'a',
    tokens: tokenizer.encode('the hello'),
    segments: [
      { role: 'prompt', end: 1 },
      { role: 'response', end: 2 },
    ],
  });
});

test('segments tile the ids in order, whatever the text', () => {
  const role = fc.constantFrom<SegmentRole>('prompt', 'header', 'response');
  const segment = fc.record({ role, text: fc.string({ unit: 'grapheme', minLength: 1 }) });
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
      const made = tokenizeRecord({ id: 'a', segments, fields: {} }, tokenizer);
      const ends = made.segments.map(({ end }) => end);
      expect(ends).toEqual(ends.toSorted((a, b) => a - b));
      expect(ends.at(-1)).toBe(made.tokens.length);
      const changes = segments.filter(({ role }, index) => role !== segments[index + 1]?.role);
      expect(made.segments.map((each) => each.role)).toEqual(changes.map((each) => each.role));
    }),
  );
});

test('a text without tokens is refused', () => {
  expect(() => tokenizeRecord({ id: 'a', segments: [], fields: {} }, tokenizer)).toThrow(
    'its text has no tokens',
  );
});
