import { type JsonObject, RecordProblems, UserError } from '../../core/index.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import {
  type Conversation,
  type DataRecord,
  endsItself,
  type FormattedRecord,
  parseFormattedRecord,
  type Segment,
  type TextPiece,
} from '../../text/index.ts';

/** What a formatted record asks of a model: where it has to go on, and what it should write. */
export interface Question {
  readonly id: string;
  readonly fields: JsonObject;
  /** The text that is given. */
  readonly prompt: string;
  /** The same text, of which a chat template's special tokens are told apart. */
  readonly given: readonly TextPiece[];
  /** The same as turns, where the record has them. */
  readonly conversation: Conversation | undefined;
  /** What stands after it in the record: the response with its end, and its header where the model has to write that too. */
  readonly rest: readonly TextPiece[];
  /** Whether `rest` has its own end, so that no end of text belongs after it. */
  readonly ended: boolean;
  /** The marker before the response, without white space around it. */
  readonly header: string;
  /** The header as it stands between prompt and response, where the prompt does not end with it. */
  readonly between: string;
  readonly expected: string;
  /** The responses to choose from; empty where there is no choice. */
  readonly choices: readonly string[];
  /** So many characters of the prompt begin other prompts too. */
  readonly sharedCharacters: number;
  /** 0 for the first or only answer that is asked for. */
  readonly sample: number;
}

/** The questions of all records, whose ids have to differ: an answer is found again by its id. */
export async function readQuestions(
  records: AsyncIterable<DataRecord>,
  start: GenerateConfig['start'],
): Promise<readonly Question[]> {
  const questions = new Map<string, Question>();
  const problems = new RecordProblems('cannot be asked');
  for await (const record of records) {
    const { id } = record;
    const question = problems.collect({ id }, () => {
      if (!questions.has(id)) return questionOf(parseFormattedRecord(record), start);
      throw new UserError({ code: 'duplicate-id', message: 'another record has the same id' });
    });
    if (question !== undefined) questions.set(id, question);
  }
  problems.throwIfAny();
  return [...questions.values()];
}

/** Cuts a record where the model begins: before the last response, after the prompt or the header that stands before it. */
export function questionOf(record: FormattedRecord, start: GenerateConfig['start']): Question {
  const { id, fields, conversation, segments: written, choices = [] } = record;
  const segments = written.filter(({ role }) => role !== 'tail');
  const answerAt = segments.findLastIndex(({ role }) => role === 'prompt') + 1;
  const answer = segments.slice(answerAt);
  const headers = answer.filter(({ role }) => role === 'header');
  const given = segments.slice(0, answerAt).concat(start === 'header' ? headers : []);
  const rest = segments.slice(given.length);
  return {
    id,
    fields,
    prompt: textOf(given),
    given: given.map(pieceOf),
    conversation,
    rest: rest.map(pieceOf),
    ended: endsItself(rest),
    header: textOf(headers).trim(),
    between: start === 'header' ? '' : textOf(headers),
    expected: textOf(answer.filter(({ role }) => role === 'response')),
    choices,
    sharedCharacters: record.shared_characters ?? 0,
    sample: 0,
  };
}

const pieceOf = ({ text, special }: Segment): TextPiece => (special ? { text, special } : { text });

/** Equal for what a model reads equally: the text, or the pieces where some are special. */
export const identityOf = (pieces: readonly TextPiece[]): string =>
  pieces.some(({ special }) => special) ? `special:${JSON.stringify(pieces)}` : textOf(pieces);

/** The pieces one after the other. */
export const textOf = (segments: readonly TextPiece[]): string => segments.map(({ text }) => text).join('');

/** An answer without the header that the model wrote before it, and without white space around it. */
export const cleanAnswer = (text: string, header: string): string =>
  (header === '' ? text : text.replaceAll(header, '')).trim();
