import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/read-all.ts';
import { RecordProblems } from '../record-problems.ts';
import { expectedInReferences, expectedInResponse } from './expected-answers.ts';
import { scoreResponses } from './score-responses.ts';

export const { run } = implementStage<EvaluateConfig>()({
  inputs: { responses: 'responses', references: 'records?' },
  outputs: { scores: 'scores' },
  async run({ config, inputs, outputs }) {
    const { responses, references } = inputs;
    const expected =
      references === undefined
        ? expectedInResponse
        : await expectedInReferences(references, config.reference_field);
    const problems = new RecordProblems('cannot be compared with a reference');
    const rated = (await readAll(responses)).flatMap((response) => {
      const answers = problems.collect({ id: response.id }, () => expected(response));
      return answers === undefined ? [] : [{ response, expected: answers }];
    });
    problems.throwIfAny();
    await outputs.scores.write(scoreResponses(rated, config));
  },
});
