import { nameRecords, UserError } from '../../core/index.ts';
import type { CollateConfig } from '../../generated/collate-config.ts';
import {
  endsItself,
  type SegmentRole,
  type TokenizedRecord,
  type TokenizedRecords,
  type TokenSegment,
} from '../../text/index.ts';
import { type BatchRecipe, type Example, ignoredTarget } from '../../training/index.ts';
import { implementStage } from '../implement-stage.ts';

export const { run } = implementStage<CollateConfig>()({
  inputs: { tokens: 'tokens' },
  outputs: { batches: 'batches' },
  async run({ config, inputs, outputs, part, host }) {
    const tokens = await inputs.tokens.read();
    const warn = (text: string) => {
      const message = part === undefined ? text : `${part}: ${text}`;
      host.report({ type: 'note', level: 'warning', message });
    };
    const examples = examplesOf(tokens, { config, warn });
    checkExamples(examples, { config, warn });
    const { vocabulary, endOfText } = tokens;
    const answerEnds = answerEndsOf(tokens);
    await outputs.batches.write({ examples, recipe: recipeOf(config), vocabulary, endOfText, answerEnds });
  },
});

interface Collation {
  readonly config: CollateConfig;
  readonly warn: (message: string) => void;
}

function examplesOf(
  { records, endOfText }: TokenizedRecords,
  { config, warn }: Collation,
): readonly Example[] {
  const maxLength = config.max_length;
  if (config.packing === true) return packExamples(records, { length: maxLength, endOfText });
  return limitLength(records, { config, warn }).map((record) =>
    makeExample(record, { trainOn: config.train_on, endOfText, maxLength }),
  );
}

const recipeOf = (config: CollateConfig): BatchRecipe => ({
  batchSize: config.batch_size,
  shuffle: config.shuffle,
  dropLast: config.drop_last,
  seed: config.seed,
  ...(config.packing === 'examples' ? { packedLength: config.max_length } : {}),
});

export type TrainOn = CollateConfig['train_on'];

/** What is trained on -> the segments whose tokens are learned. An end is always learned. */
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

/** The marks that the records end their answers with: the first token of each end, or else the end of text. */
function answerEndsOf({ records, endOfText }: TokenizedRecords): readonly number[] {
  const ends = new Set<number>();
  for (const { tokens, segments } of records) {
    if (!endsItself(segments)) ends.add(endOfText);
    for (const [index, { role }] of segments.entries()) {
      const mark = role === 'end' ? tokens[segments[index - 1]?.end ?? 0] : undefined;
      if (mark !== undefined) ends.add(mark);
    }
  }
  return [...ends].sort((a, b) => a - b);
}

/** The end of the prompt that the record begins with. */
function promptLengthOf(segments: readonly TokenSegment[]): number {
  const next = segments.findIndex(({ role }) => role !== 'prompt');
  return segments.at(next === -1 ? -1 : next - 1)?.end ?? 0;
}

/** The records that become examples. `max_length` counts tokens without the end of text; longer records are cut later. */
function limitLength(
  records: readonly TokenizedRecord[],
  { config, warn }: Collation,
): readonly TokenizedRecord[] {
  const { max_length: maxLength, too_long: policy } = config;
  const tooLong = records.filter(({ tokens }) => tokens.length > maxLength);
  if (tooLong.length === 0) return records;
  const longest = tooLong.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const found =
    `${tooLong.length} of ${records.length} records are longer than max_length ${maxLength}` +
    ` (the longest has ${longest} tokens)`;
  switch (policy) {
    case 'truncate':
      warn(`${found}; they were cut, so the model does not learn where they end`);
      return records;
    case 'drop':
      warn(`${found}; they were left out`);
      return records.filter(({ tokens }) => tokens.length <= maxLength);
    case 'error':
      throw new UserError({
        code: 'record-too-long',
        message: found,
        help: 'raise `max_length`, or set `too_long: truncate` or `too_long: drop`',
        records: tooLong.map(({ id, tokens }) => ({ id, problem: `it has ${tokens.length} tokens` })),
      });
    default:
      return policy satisfies never;
  }
}

/**
 * Records one after the other, with an end of text after each that does not end itself, cut into examples of `length`
 * tokens; the last may be shorter. Every token but the very first is a target, ends of text included. A record may begin
 * in one example and end in the next, and the model sees the records before it.
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

/** Throws if a fact that `expect` states does not hold; warns of examples without a token to learn. */
function checkExamples(examples: readonly Example[], { config, warn }: Collation): void {
  const { trained_token_in_every_example: eachTrained, minimum_examples: minimum } = config.expect;
  if (examples.length < minimum) {
    throw new UserError({
      code: 'expectation-failed',
      message: `there are ${examples.length} examples where \`expect\` asks for at least ${minimum}`,
      help: 'check the records that reach this stage, and `too_long: drop`',
    });
  }
  const untrained = examples.filter(({ targets }) => targets.every((target) => target === ignoredTarget));
  if (untrained.length === 0) return;
  const found = `${untrained.length} of ${examples.length} examples have no token to learn`;
  if (eachTrained) {
    throw new UserError({
      code: 'expectation-failed',
      message: found,
      records: untrained.map(({ id }) => ({ id })),
      help: `raise \`max_length\` (${config.max_length}), so that their responses are not cut off`,
    });
  }
  warn(`${found}: ${nameRecords(untrained)}`);
}
