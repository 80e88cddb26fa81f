import { endsItself, type SegmentRole } from '../../text/formatted-record.ts';
import type { TokenizedRecord, TokenSegment } from '../../text/tokenized-record.ts';
import type { Example } from '../../training/batches/example.ts';
import { ignoredTarget } from '../../training/batches/pad-batch.ts';

export type TrainOn = 'all' | 'response_with_header' | 'response';

export interface ExampleOptions {
  readonly trainOn: TrainOn;
  readonly endOfText: number;
  readonly maxLength: number;
}

/** What is trained on -> the segments whose tokens are learnt. An end is learnt in any case. */
const learntRoles: Readonly<Record<TrainOn, readonly SegmentRole[]>> = {
  all: ['prompt', 'header', 'response', 'end', 'tail'],
  response_with_header: ['header', 'response', 'end'],
  response: ['response', 'end'],
};

/**
 * One record as an example: the tokens, and as targets the same tokens shifted by one with the end of text after them.
 * Of several ends of text only the first is learnt, by value, so one that stands in the text itself counts. Padding
 * with the end of text later adds more of them, all ignored. Cut to `maxLength` after masking. The rule is that of
 * "Build a Large Language Model (From Scratch)", chapter 7. A chat's record has its own ends, one after each response:
 * none is added, and each is learnt.
 */
export function makeExample(record: TokenizedRecord, options: ExampleOptions): Example {
  const { tokens, segments } = record;
  const { trainOn, endOfText, maxLength } = options;
  const following = new Int32Array(tokens.length).fill(endOfText);
  following.set(tokens.subarray(1));
  const firstEnd = following.indexOf(endOfText);
  const isLearnt = learntPositions(segments, trainOn);
  const hasEnds = endsItself(segments);
  const targets = following.map((token, index) => {
    const repeatsEnd = !hasEnds && token === endOfText && index > firstEnd;
    const isAdded = hasEnds && index === tokens.length - 1;
    return repeatsEnd || isAdded || !isLearnt(index + 1) ? ignoredTarget : token;
  });
  return {
    id: record.id,
    inputs: tokens.slice(0, maxLength),
    targets: targets.slice(0, maxLength),
    promptLength: Math.min(promptLengthOf(segments), maxLength),
  };
}

/** Whether the token at an index of the record, or the end of the text after it, is to be learnt. */
function learntPositions(segments: readonly TokenSegment[], trainOn: TrainOn): (index: number) => boolean {
  const roles = learntRoles[trainOn];
  return (index) => {
    const segment = segments.find(({ end }) => index < end);
    return segment === undefined || roles.includes(segment.role);
  };
}

/** Where the prompt that the record begins with ends. */
function promptLengthOf(segments: readonly TokenSegment[]): number {
  const next = segments.findIndex(({ role }) => role !== 'prompt');
  return segments.at(next === -1 ? -1 : next - 1)?.end ?? 0;
}
