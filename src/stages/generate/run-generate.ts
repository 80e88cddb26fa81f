import type { GenerateConfig } from '../../generated/generate-config.ts';
import { implementStage } from '../implement-stage.ts';
import { endpointModel } from '../models/endpoint-model.ts';
import { generateBehindEndpoint } from './generate-behind-endpoint.ts';
import { generateLocally } from './generate-locally.ts';
import { readQuestions } from './question.ts';
import { withSamples } from './with-samples.ts';

/** Answers each prompt or rates its response, with the model in the folder or behind the endpoint that the folder names. */
export const { run } = implementStage<GenerateConfig>()({
  inputs: { model: 'model', prompts: 'records' },
  outputs: { responses: 'responses' },
  async run({ config, inputs, outputs, statePath, memoPath, resources, host }) {
    const folder = inputs.model.path;
    const questions = withSamples(await readQuestions(inputs.prompts, config.start), config.samples);
    const generation = { config, questions, statePath, memoPath, host };
    const served = await endpointModel(folder);
    const { responses, measurements } =
      served === undefined
        ? await generateLocally({ ...generation, folder, resources })
        : await generateBehindEndpoint({ ...generation, model: served });
    for (const response of responses) await outputs.responses.write(response);
    return measurements;
  },
});
