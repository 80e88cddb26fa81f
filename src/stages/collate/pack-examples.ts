import { endsItself } from '../../text/formatted-record.ts';
import type { TokenizedRecord } from '../../text/tokenized-record.ts';
import type { Example } from '../../training/batches/example.ts';

/**
 * Records one after the other, an end of text after each that has none of its own, cut into examples of `length` tokens (the last may be
 * shorter). Every token but the very first is a target, the ends of text too. A record may begin in one example and
 * end in the next, and a model sees the record before its own.
 */
export function packExamples(
  records: readonly TokenizedRecord[],
  { length, endOfText }: { length: number; endOfText: number },
): readonly Example[] {
  const stream = joinRecords(records, endOfText);
  const count = Math.ceil(Math.max(stream.length - 1, 0) / length);
  return Array.from({ length: count }, (_, index) => {
    const start = index * length;
    const end = Math.min(start + length, stream.length - 1);
    return {
      id: `packed-${index + 1}`,
      inputs: stream.slice(start, end),
      targets: stream.slice(start + 1, end + 1),
      promptLength: 0,
    };
  });
}

function joinRecords(records: readonly TokenizedRecord[], endOfText: number): Int32Array {
  const lengthOf = ({ tokens, segments }: TokenizedRecord) => tokens.length + (endsItself(segments) ? 0 : 1);
  const total = records.reduce((sum, record) => sum + lengthOf(record), 0);
  const stream = new Int32Array(total).fill(endOfText);
  let start = 0;
  for (const record of records) {
    stream.set(record.tokens, start);
    start += lengthOf(record);
  }
  return stream;
}
