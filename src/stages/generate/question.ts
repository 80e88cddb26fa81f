import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { JsonObject } from '../../json.ts';
import type { FormattedRecord, Segment } from '../../text/formatted-record.ts';
import { parseFormattedRecord } from '../../text/parse-record.ts';
import type { DataRecord } from '../../text/record.ts';
import { UserError } from '../../user-error.ts';
import { RecordProblems } from '../record-problems.ts';

/** What a formatted record asks of a model: where it has to go on, and what it should write. */
export interface Question {
  readonly id: string;
  readonly fields: JsonObject;
  /** The text that is given. */
  readonly prompt: string;
  /** The text that stands after it in the record: the response, and its header where the model has to write that too. */
  readonly rest: string;
  /** The marker before the response, without white space around it. */
  readonly header: string;
  /** The header as it stands between prompt and response, where the prompt does not end with it. */
  readonly between: string;
  readonly expected: string;
  /** The responses to choose from; empty where there is no choice. */
  readonly choices: readonly string[];
  /** So many characters of the prompt begin other prompts too. */
  readonly sharedCharacters: number;
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

/** Cuts a record where the model begins: after its last prompt segment, or after the header that follows. */
export function questionOf(
  { id, fields, segments, choices = [], shared_characters: sharedCharacters = 0 }: FormattedRecord,
  start: GenerateConfig['start'],
): Question {
  const answerAt = segments.findLastIndex(({ role }) => role === 'prompt') + 1;
  const answer = segments.slice(answerAt);
  const headers = answer.filter(({ role }) => role === 'header');
  const given = segments.slice(0, answerAt).concat(start === 'header' ? headers : []);
  return {
    id,
    fields,
    prompt: textOf(given),
    rest: textOf(segments.slice(given.length)),
    header: textOf(headers).trim(),
    between: start === 'header' ? '' : textOf(headers),
    expected: textOf(answer.filter(({ role }) => role === 'response')),
    choices,
    sharedCharacters,
  };
}

const textOf = (segments: readonly Segment[]): string => segments.map(({ text }) => text).join('');
