import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { implementStage } from '../implement-stage.ts';
import { readAll } from '../ports/read-all.ts';
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
    const rated = (await readAll(responses)).map((response) => ({ response, expected: expected(response) }));
    await outputs.scores.write(scoreResponses(rated, config));
  },
});
