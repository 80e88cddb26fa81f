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
    const warn = (text: string, records: readonly { readonly id: string }[] = []) => {
      const message = part === undefined ? text : `${part}: ${text}`;
      const named = records.length > 0 && { records: records.slice(0, 3).map(({ id }) => ({ id })) };
      host.report({ type: 'note', level: 'warning', message, ...named });
    };
    const examples = examplesOf(tokens, { config, warn });
    checkExamples(examples, { config, warn });
    checkAnswers(tokens.records, { examples, config, warn });
    const { vocabulary, endOfText } = tokens;
    const answerEnds = answerEndsOf(tokens);
    await outputs.batches.write({ examples, recipe: recipeOf(config), vocabulary, endOfText, answerEnds });
  },
});

interface Collation {
  readonly config: CollateConfig;
  /** Warns of something that is true of some records. */
  readonly warn: (message: string, records?: readonly { readonly id: string }[]) => void;
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
      warn(`${found}; they were cut, so the model does not learn where they end`, tooLong);
      return records;
    case 'drop':
      warn(`${found}; they were left out`, tooLong);
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

const learnsSomething = ({ targets }: Example): boolean => targets.some((target) => target !== ignoredTarget);

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
  const untrained = examples.filter((example) => !learnsSomething(example));
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

/** Refuses answers that `max_length` cuts, if configured; warns of those of which the model learns nothing. */
function checkAnswers(
  records: readonly TokenizedRecord[],
  { examples, config, warn }: Collation & { readonly examples: readonly Example[] },
): void {
  const { max_length: maxLength, packing, too_long: policy, expect } = config;
  if (packing === true || policy !== 'truncate') return;
  const cut = records.filter((record) => cutsAnswer(record, maxLength));
  if (expect.every_answer_whole && cut.length > 0)
    throw new UserError({
      code: 'expectation-failed',
      message: `${cut.length} of ${records.length} records have an answer that max_length ${maxLength} cuts`,
      records: cut.map(({ id, tokens }) => ({ id, problem: `it has ${tokens.length} tokens` })),
      help: 'raise `max_length`, or set `too_long: drop`',
    });
  // Examples that learn nothing at all have been reported.
  const learned = new Set(examples.filter(learnsSomething).map(({ id }) => id));
  const lost = cut.filter((record) => learned.has(record.id) && lostAnswers(record, maxLength) > 0);
  if (lost.length === 0) return;
  const count = lost.reduce((sum, record) => sum + lostAnswers(record, maxLength), 0);
  warn(
    `${lost.length} of ${records.length} records have answers that begin after max_length ${maxLength} (${count} in all), so the model learns nothing of them`,
    lost,
  );
}

/** The target at the last position is the token after it, so one more token than `maxLength` is learned. */
const cutsAnswer = ({ tokens, segments }: TokenizedRecord, maxLength: number): boolean =>
  endsItself(segments)
    ? segments.some(({ role, end }) => (role === 'response' || role === 'end') && end > maxLength + 1)
    : tokens.length > maxLength;

/** How many answers begin only after the last token that is learned. */
const lostAnswers = ({ segments }: TokenizedRecord, maxLength: number): number =>
  segments.filter(({ role }, index) => role === 'response' && (segments[index - 1]?.end ?? 0) > maxLength)
    .length;
