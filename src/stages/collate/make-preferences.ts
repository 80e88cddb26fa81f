import type { LabeledText, TokenizedPair, TokenizedText } from '../../text/index.ts';
import { type Answer, ignoredTarget, type JudgedAnswer, type PreferencePair } from '../../training/index.ts';
import { makeExample, type TrainOn } from './make-example.ts';

interface Lengths {
  readonly trainOn: TrainOn;
  readonly endOfText: number;
  readonly maxLength: number;
}

/**
 * A pair: what is compared of an answer is its response, with its header for `response_with_header`. `trainOn` itself
 * says what ORPO learns of the preferred answer; with `all` that includes the prompt, as in TRL.
 */
export function makePair({ id, chosen, rejected }: TokenizedPair, lengths: Lengths): PreferencePair {
  const learned = makeExample({ id, ...chosen }, lengths).targets;
  return {
    id,
    chosen: { ...makeAnswer(chosen, lengths), learned },
    rejected: makeAnswer(rejected, lengths),
  };
}

function makeAnswer(text: TokenizedText, { trainOn, ...lengths }: Lengths): Answer {
  const compared = trainOn === 'all' ? 'response' : trainOn;
  const { inputs, targets, promptLength } = makeExample(
    { id: '', ...text },
    { ...lengths, trainOn: compared },
  );
  return { inputs, targets, promptLength };
}

/**
 * Labeled answers, each with the answer of the record before it in its group of `batchSize` records as its mismatched
 * one, the first with the last's, as TRL's KTOTrainer makes them. A record left over alone has that of the one before.
 */
export function makeJudgedAnswers(
  records: readonly LabeledText[],
  { batchSize, ...lengths }: Lengths & { readonly batchSize: number },
): readonly JudgedAnswer[] {
  return records.map(({ id, answer, desirable }, index) => {
    const start = index - (index % batchSize);
    const end = Math.min(start + batchSize, records.length);
    const isAlone = end - start === 1;
    const other = isAlone ? index - 1 : index === start ? end - 1 : index - 1;
    const mismatched = withAnswerOf(answer, records[other]?.answer ?? answer, lengths.trainOn);
    return {
      id,
      answer: makeAnswer(answer, lengths),
      desirable,
      mismatched: makeAnswer(mismatched, lengths),
    };
  });
}

/** The prompt of one text and the answer of another. */
function withAnswerOf(text: TokenizedText, other: TokenizedText, trainOn: TrainOn): TokenizedText {
  const [own, theirs] = [answerStart(text, trainOn), answerStart(other, trainOn)];
  const prompt = text.segments.filter(({ end }) => end <= own);
  const answer = other.segments
    .filter(({ end }) => end > theirs)
    .map(({ role, end }) => ({ role, end: end - theirs + own }));
  return {
    tokens: Int32Array.of(...text.tokens.subarray(0, own), ...other.tokens.subarray(theirs)),
    segments: [...prompt, ...answer],
  };
}

/** The index of the first token of the segments that are compared. */
function answerStart({ tokens, segments }: TokenizedText, trainOn: TrainOn): number {
  const roles: readonly string[] = trainOn === 'response_with_header' ? ['header', 'response'] : ['response'];
  const first = segments.findIndex(({ role }) => roles.includes(role));
  return first < 0 ? tokens.length : (segments[first - 1]?.end ?? 0);
}

/** Whether nothing of the answer is compared, as it was cut off or is empty. */
export const isLost = ({ targets }: Answer): boolean => targets.every((target) => target === ignoredTarget);

/** Whether both answers are the same to the model. */
export const hasEqualAnswers = ({ chosen, rejected }: PreferencePair): boolean =>
  sameIds(chosen.inputs, rejected.inputs) && sameIds(chosen.targets, rejected.targets);

const sameIds = (a: Int32Array, b: Int32Array): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);
