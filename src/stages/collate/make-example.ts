import type { CollateConfig } from '../../generated/collate-config.ts';
import { endsItself, type SegmentRole, type TokenizedRecord, type TokenSegment } from '../../text/index.ts';
import { type Example, ignoredTarget } from '../../training/index.ts';

export type TrainOn = CollateConfig['train_on'];

/** What is trained on -> the segments whose tokens are learned. An end is always learned, and what is masked never. */
const learnedRoles: Readonly<Record<TrainOn, readonly SegmentRole[]>> = {
  all: ['prompt', 'header', 'response', 'end', 'tail'],
  response_with_header: ['header', 'response', 'end'],
  response: ['response', 'end'],
};

/**
 * One record as an example: the tokens, and as targets the same tokens shifted by one with an end of text after them.
 * Only the first end-of-text token is learned, even if it is part of the text; those that padding adds later are all
 * ignored. The example is cut to `maxLength` after masking. This is the rule of "Build a Large Language Model (From
 * Scratch)", chapter 7. A chat's record has its own ends, one after each response: none is added, and each is learned.
 */
export function makeExample(
  { id, tokens, segments }: TokenizedRecord,
  {
    trainOn,
    endOfText,
    maxLength,
  }: { readonly trainOn: TrainOn; readonly endOfText: number; readonly maxLength: number },
): Example {
  const following = new Int32Array(tokens.length).fill(endOfText);
  following.set(tokens.subarray(1));
  const firstEnd = following.indexOf(endOfText);
  const isLearned = learnedPositions(segments, trainOn);
  const hasEnds = endsItself(segments);
  const targets = following.map((token, index) => {
    const repeatsEnd = !hasEnds && token === endOfText && index > firstEnd;
    const isAdded = hasEnds && index === tokens.length - 1;
    return repeatsEnd || isAdded || !isLearned(index + 1) ? ignoredTarget : token;
  });
  return {
    id,
    inputs: tokens.slice(0, maxLength),
    targets: targets.slice(0, maxLength),
    promptLength: Math.min(promptLengthOf(segments), maxLength),
  };
}

/** Whether the token at an index of the record, or the end of text after it, is learned. */
function learnedPositions(segments: readonly TokenSegment[], trainOn: TrainOn): (index: number) => boolean {
  const roles = learnedRoles[trainOn];
  return (index) => {
    const segment = segments.find(({ end }) => index < end);
    return segment === undefined || roles.includes(segment.role);
  };
}

/** The end of the prompt that the record begins with. */
function promptLengthOf(segments: readonly TokenSegment[]): number {
  const next = segments.findIndex(({ role }) => role !== 'prompt');
  return segments.at(next === -1 ? -1 : next - 1)?.end ?? 0;
}

/**
 * Records one after the other, with an end of text after each that does not end itself, cut into examples of `length`
 * tokens; the last may be shorter. Every token but the very first is a target, ends of text included, unless it is masked. A record may begin
 * in one example and end in the next, and the model sees the records before it.
 */
export function packExamples(
  records: readonly TokenizedRecord[],
  { length, endOfText }: { length: number; endOfText: number },
): readonly Example[] {
  const { stream, targets } = joinRecords(records, endOfText);
  const count = Math.ceil(Math.max(stream.length - 1, 0) / length);
  return Array.from({ length: count }, (_, index) => {
    const start = index * length;
    const end = Math.min(start + length, stream.length - 1);
    return {
      id: `packed-${index + 1}`,
      inputs: stream.slice(start, end),
      targets: targets.slice(start + 1, end + 1),
      promptLength: 0,
    };
  });
}

/** All tokens, and the same as targets: without those that are never learned. */
function joinRecords(
  records: readonly TokenizedRecord[],
  endOfText: number,
): { readonly stream: Int32Array; readonly targets: Int32Array } {
  const lengthOf = ({ tokens, segments }: TokenizedRecord) => tokens.length + (endsItself(segments) ? 0 : 1);
  const total = records.reduce((sum, record) => sum + lengthOf(record), 0);
  const stream = new Int32Array(total).fill(endOfText);
  const targets = new Int32Array(total).fill(endOfText);
  let start = 0;
  for (const record of records) {
    stream.set(record.tokens, start);
    targets.set(record.tokens, start);
    for (const [index, { role, end }] of record.segments.entries())
      if (role === 'masked')
        targets.fill(ignoredTarget, start + (record.segments[index - 1]?.end ?? 0), start + end);
    start += lengthOf(record);
  }
  return { stream, targets };
}
