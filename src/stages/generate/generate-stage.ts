import type { GenerateConfig } from '../../generated/generate-config.ts';
import { declareStage } from '../declare-stage.ts';
import { checkSamples } from './check-samples.ts';
import { checkEndpoint } from './endpoint/check-endpoint.ts';

/** Lets a model answer prompts, or rate the responses that they should have. */
export const generateStage = declareStage<GenerateConfig>({
  name: 'generate',
  version: 2,
  ports: () => ({
    inputs: {
      model: { accepts: ['model'], required: true, parts: 'one' },
      prompts: { accepts: ['records'], required: true, parts: 'one' },
    },
    outputs: { responses: { type: 'responses' } },
  }),
  check: (config) => [...checkEndpoint(config), ...checkSamples(config)],
  recordsPort: 'prompts',
  memo: { fieldsApart: fieldsBesideAnswers, ports: ['model'] },
  process: 'child',
  device: 'accelerator',
  environment: () => ['OPENAI_API_KEY', 'OPENAI_BASE_URL'],
  load: () => import('./run-generate.ts'),
});

/**
 * The fields that change no answer to a given prompt, or only how it is handed on. `batch_size` is among them because
 * each answer is remembered beside the number of rows that it was computed with.
 */
function fieldsBesideAnswers({ mode, temperature }: GenerateConfig): readonly string[] {
  const always = ['start', 'clean', 'samples', 'batch_size', 'endpoint'];
  const draws = ['top_k', 'top_p', 'min_p', 'seed'];
  if (mode !== 'text')
    return [
      ...always,
      ...draws,
      'max_new_tokens',
      'temperature',
      'repetition_penalty',
      'stop',
      'stop_tokens',
    ];
  return temperature === 0 ? [...always, ...draws] : always;
}
