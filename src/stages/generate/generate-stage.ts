import type { GenerateConfig } from '../../generated/generate-config.ts';
import { declareStage } from '../declare-stage.ts';
import { checkEndpoint } from './endpoint/check-endpoint.ts';

/** Lets a model answer prompts, or rate the responses that they should have. */
export const generateStage = declareStage<GenerateConfig>({
  name: 'generate',
  version: 1,
  ports: () => ({
    inputs: {
      model: { accepts: ['model'], required: true, parts: 'one' },
      prompts: { accepts: ['records'], required: true, parts: 'one' },
    },
    outputs: { responses: { type: 'responses' } },
  }),
  check: checkEndpoint,
  recordsPort: 'prompts',
  process: 'child',
  device: 'accelerator',
  environment: () => ['OPENAI_API_KEY', 'OPENAI_BASE_URL'],
  load: () => import('./run-generate.ts'),
});
