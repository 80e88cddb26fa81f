import { jsonText, UserError } from '../../core/index.ts';
import type { FormatConfig } from '../../generated/format-config.ts';
import { answerRows, judgedRow, type Segment } from '../../text/index.ts';
import type { FormatRow, RecordFormat } from './example-format.ts';

type Options = Pick<FormatConfig, 'conversation'>;

/** Writes the rows of `preference: paired` or `unpaired` with a template that writes one answer. */
export function preferenceFormat(
  format: RecordFormat,
  { preference, ...options }: Options & { readonly preference: NonNullable<FormatConfig['preference']> },
): RecordFormat {
  return preference === 'paired' ? pairedFormat(format, options) : unpairedFormat(format);
}

/**
 * Writes each row twice, once for each answer. What both texts begin with is no part of an answer, even where it holds
 * earlier answers: they are read and not compared.
 */
const pairedFormat =
  (format: RecordFormat, { conversation }: Options): RecordFormat =>
  ({ id, row }: FormatRow) => {
    const { answerFields, unshown, ...sides } = answerRows(row, { fields: conversation });
    const chosen = format({ id, row: sides.chosen });
    const rejected = format({ id, row: sides.rejected });
    if (sameText(chosen.segments, rejected.segments) && !sameJson(sides.chosen, sides.rejected))
      throw answerNotWritten(answerFields);
    const shared = Math.min(
      sharedSegments(chosen.segments, rejected.segments),
      ...[chosen, rejected].map(({ segments }) => lastAnswer(segments)),
    );
    const problems = [...(chosen.unshown ?? []), ...unshown];
    return {
      ...chosen,
      segments: withoutAnswersBefore(chosen.segments, shared),
      preference: { rejected: withoutAnswersBefore(rejected.segments, shared) },
      layout: chosen.layout && '`chosen` and `rejected`',
      unshown: problems.filter(({ name, isField }) => !(isField && answerFields.includes(name))),
    };
  };

/** Only the last answer is judged, unless the row says where the judged part begins by having it in `completion`. */
const unpairedFormat =
  (format: RecordFormat): RecordFormat =>
  ({ id, row: given }) => {
    const { row, desirable } = judgedRow(given);
    const formatted = format({ id, row });
    const { segments } = formatted;
    const hasCompletion = row.completion !== undefined && row.completion !== null;
    return {
      ...formatted,
      segments: hasCompletion ? segments : withoutAnswersBefore(segments, lastAnswer(segments)),
      preference: { desirable },
    };
  };

const sameJson = (a: unknown, b: unknown): boolean => jsonText(a) === jsonText(b);

function sharedSegments(a: readonly Segment[], b: readonly Segment[]): number {
  const differs = a.findIndex((segment, index) => !isSame(segment, b[index]));
  return differs < 0 ? a.length : differs;
}

const isSame = ({ role, text, special }: Segment, other: Segment | undefined): boolean =>
  role === other?.role && text === other.text && special === other.special;

const sameText = (a: readonly Segment[], b: readonly Segment[]): boolean =>
  a.length === b.length && a.every((segment, index) => isSame(segment, b[index]));

/** The index of the first segment of the last answer. */
function lastAnswer(segments: readonly Segment[]): number {
  let index = segments.findLastIndex(({ role }) => role === 'response');
  while (segments[index - 1]?.role === 'response' || segments[index - 1]?.role === 'masked') index -= 1;
  return Math.max(index, 0);
}

const withoutAnswersBefore = (segments: readonly Segment[], end: number): readonly Segment[] =>
  segments.map((segment, index) =>
    index < end && ['response', 'end', 'end_text'].includes(segment.role)
      ? { ...segment, role: 'masked' }
      : segment,
  );

const answerNotWritten = (fields: readonly string[]): UserError =>
  new UserError({
    code: 'answer-not-written',
    message: 'the template writes the same for the chosen and for the rejected answer',
    help: `it is written once for each of them, with the answer in ${fields.map((name) => `\`${name}\``).join(', ')}: write one of these`,
  });
