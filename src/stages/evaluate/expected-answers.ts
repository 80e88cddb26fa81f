import type { Json } from '../../json.ts';
import type { DataRecord } from '../../text/record.ts';
import { UserError } from '../../user-error.ts';
import type { ResponseRecord } from '../ports/response-record.ts';
import { RecordProblems } from '../record-problems.ts';

/** The answers that would be right for a response, by its record's id. */
export type ExpectedAnswers = (response: ResponseRecord) => readonly string[];

/** Without references: the response that the formatted record held. */
export const expectedInResponse: ExpectedAnswers = (response) => [response.expected];

/** With references: what their field says, a text or a list of texts. */
export async function expectedInReferences(
  references: AsyncIterable<DataRecord>,
  field: string,
): Promise<ExpectedAnswers> {
  const byId = new Map<string, readonly string[]>();
  const problems = new RecordProblems('cannot serve as references', 'references');
  for await (const record of references) {
    const answers = problems.collect({ id: record.id }, () => answersIn(record, field));
    if (answers !== undefined) byId.set(record.id, answers);
  }
  problems.throwIfAny();
  return ({ id }) => {
    const answers = byId.get(id);
    if (answers !== undefined) return answers;
    throw new UserError({
      code: 'missing-reference',
      message: 'no reference has its id',
      help: 'responses and references are matched by their ids: give both load stages an `id` field with the same values',
    });
  };
}

function answersIn(record: DataRecord, field: string): readonly string[] {
  const value: Json | undefined = record[field];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.length > 0 && value.every((answer) => typeof answer === 'string'))
    return value;
  const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value).slice(0, 100)}`;
  throw new UserError({
    code: 'bad-reference',
    message: `its field \`${field}\` ${found}; it must be a text or a list of texts`,
    help: `\`reference_field\` names the field; this record has ${Object.keys(record).join(', ')}`,
  });
}
