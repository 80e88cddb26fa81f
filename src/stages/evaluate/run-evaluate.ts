import { type Json, RecordProblems, UserError } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { ratingsOf, readRatings } from '../../metrics/index.ts';
import { type DataRecord, parseResponse, type ResponseRecord } from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/port-contents.ts';
import { scoreResponses } from './score-responses.ts';

export const { run } = implementStage<EvaluateConfig>()({
  inputs: { responses: 'records', references: 'records?', ratings: 'records?', second_judge: 'responses?' },
  outputs: { scores: 'scores' },
  async run({ config, inputs, outputs }) {
    const { references } = inputs;
    const expected =
      references === undefined
        ? expectedInResponse
        : await expectedInReferences(references, config.reference_field);
    const ratings = inputs.ratings && (await readRatings(inputs.ratings));
    const second = inputs.second_judge && (await readAll(inputs.second_judge));
    const secondById = second && new Map(second.map((response) => [response.id, response]));
    const problems = new RecordProblems('cannot be compared with a reference');
    const rows = await readAll(inputs.responses);
    const responses = rows.flatMap((row, index) => {
      const response = responseOf(row, { config, place: `responses:${index + 1}` });
      const { id } = response;
      const answers = problems.collect({ id }, () => expected(response));
      if (answers === undefined) return [];
      const secondJudge = secondById?.get(id);
      return {
        response,
        expected: answers,
        ...(ratings && { ratings: ratingsOf(response, { ratings, judgedField: config.judged_field }) }),
        ...(secondJudge && { secondJudge }),
      };
    });
    problems.throwIfAny();
    await outputs.scores.write(scoreResponses(responses, config));
  },
});

/** The answers that would be right for a response. */
type ExpectedAnswers = (response: ResponseRecord) => readonly string[];

/** Without references: the response of the formatted record. */
const expectedInResponse: ExpectedAnswers = (response) => [response.expected];

/** With references: the text or the list of texts in their field. */
async function expectedInReferences(
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

/** A row of the port `responses`: a response, or with `arena` a battle. */
function responseOf(
  row: DataRecord,
  { config, place }: { readonly config: EvaluateConfig; readonly place: string },
): ResponseRecord {
  const isBattle = config.metrics.includes('arena') && row.winner !== undefined;
  if (!isBattle) return parseResponse(row, place);
  const { id, ...fields } = row;
  return { id, prompt: '', expected: '', fields };
}
