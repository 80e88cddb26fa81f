import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/read-all.ts';
import { RecordProblems } from '../record-problems.ts';
import { expectedInReferences, expectedInResponse } from './expected-answers.ts';
import { ratedRecord } from './rated-record.ts';
import { ratingsOf } from './ratings/ratings-of.ts';
import { readRatings } from './ratings/read-ratings.ts';
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
    const rated = rows.flatMap((row, index) => {
      const response = ratedRecord(row, { config, place: `responses:${index + 1}` });
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
    await outputs.scores.write(scoreResponses(rated, config));
  },
});
