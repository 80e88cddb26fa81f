import { type Json, nameRecords, RecordProblems, UserError } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { ratingsOf, readRatings } from '../../metrics/index.ts';
import { type DataRecord, parseResponse, type ResponseRecord } from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/port-contents.ts';
import { scoreResponses } from './score-responses.ts';
import { countLeftOut, refuseUnmatched, unmatchedIds } from './unmatched.ts';

export const { run } = implementStage<EvaluateConfig>()({
  inputs: { responses: 'records', references: 'records?', ratings: 'records?', second_judge: 'records?' },
  outputs: { scores: 'scores' },
  async run({ config, inputs, outputs, host }) {
    const references = inputs.references && (await readReferences(inputs.references, config.reference_field));
    const ratings = inputs.ratings && readRatings(await readAll(inputs.ratings));
    const second = inputs.second_judge && (await readSecondJudge(inputs.second_judge));
    const rows = (await readAll(inputs.responses)).map((row, index) =>
      responseOf(row, { config, place: `responses:${index + 1}` }),
    );
    const leftOut = unmatchedIds(rows, { references, second });
    if (config.unmatched !== 'leave_out') {
      if (references !== undefined) refuseWithoutReference(rows, references);
      refuseUnmatched(leftOut);
    }
    const responses = rows.flatMap((row) => {
      const { id, sample_of: question = id } = row;
      const reference = references?.get(question);
      if (references !== undefined && reference === undefined) return [];
      const response = reference === undefined ? row : withFieldsOf(row, reference.row);
      const secondJudge = second?.get(id);
      return {
        response,
        expected: reference?.answers ?? [response.expected],
        ...(ratings && { ratings: ratingsOf(response, { ratings, judgedField: config.judged_field }) }),
        ...(secondJudge && { secondJudge }),
      };
    });
    for (const { ids, what } of leftOut)
      host.report({
        type: 'note',
        level: 'warning',
        message: `${ids.length} ${what}, left out: ${nameRecords(ids.map((id) => ({ id })))}`,
      });
    await outputs.scores.write(countLeftOut(scoreResponses(responses, config), leftOut));
  },
});

function refuseWithoutReference(
  rows: readonly ResponseRecord[],
  references: ReadonlyMap<string, unknown>,
): void {
  const problems = new RecordProblems('cannot be compared with a reference');
  for (const { id, sample_of: question = id } of rows)
    problems.collect({ id }, () => {
      if (references.has(question)) return;
      throw new UserError({
        code: 'missing-reference',
        message: 'no reference has its id',
        help: 'responses and references are matched by their ids: give both load stages an `id` field with the same values',
      });
    });
  problems.throwIfAny();
}

interface Reference {
  /** The answers that would be right. */
  readonly answers: readonly string[];
  readonly row: DataRecord;
}

/** References by their ids: the text or the list of texts in their field. */
async function readReferences(
  references: AsyncIterable<DataRecord>,
  field: string,
): Promise<ReadonlyMap<string, Reference>> {
  const byId = new Map<string, Reference>();
  const problems = new RecordProblems('cannot serve as references', 'references');
  for await (const row of references) {
    const answers = problems.collect({ id: row.id }, () => answersIn(row, field));
    if (answers !== undefined) byId.set(row.id, { answers, row });
  }
  problems.throwIfAny();
  return byId;
}

async function readSecondJudge(
  rows: AsyncIterable<DataRecord>,
): Promise<ReadonlyMap<string, ResponseRecord>> {
  const responses = (await readAll(rows)).map((row, index) =>
    parseResponse(row, `second_judge:${index + 1}`),
  );
  return new Map(responses.map((response) => [response.id, response]));
}

/** A prediction of another program has no row: it gets its reference's. */
function withFieldsOf(response: ResponseRecord, { id: _, ...row }: DataRecord): ResponseRecord {
  return { ...response, fields: { ...row, ...response.fields } };
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
