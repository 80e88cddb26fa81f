import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';
import { declareStage } from '../declare-stage.ts';
import { addressProblem } from './endpoint/endpoint-address.ts';

/** Lets a model answer prompts, or scores the responses that they should have. */
export const generateStage = declareStage<GenerateConfig>({
  name: 'generate',
  version: 3,
  ports: () => ({
    inputs: {
      model: { accepts: ['model'], required: true, parts: 'one' },
      prompts: { accepts: ['records'], required: true, parts: 'one' },
      adapter: { accepts: ['adapter', 'model'], required: false, parts: 'each' },
    },
    outputs: { responses: { type: 'responses' } },
  }),
  check: (config) => [...checkEndpoint(config), ...checkSamples(config)],
  recordsPort: 'prompts',
  memo: { fieldsApart: fieldsBesideAnswers, ports: ['model', 'adapter'] },
  shards: {
    join: async (parts, output) => (await import('./join-responses.ts')).joinResponses(parts, output),
  },
  process: 'child',
  device: 'accelerator',
  environment: () => ['OPENAI_API_KEY', 'OPENAI_BASE_URL'],
  load: () => import('./run-generate.ts'),
});

/**
 * The fields that do not change the model's answer to a given prompt. `batch_size` is one of them because the
 * fingerprint beside each cached answer includes it.
 */
function fieldsBesideAnswers({ mode, temperature }: GenerateConfig): readonly string[] {
  const always = ['start', 'clean', 'samples', 'batch_size', 'endpoint', 'withheld'];
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
      'stop_at_end',
    ];
  return temperature === 0 ? [...always, ...draws] : always;
}

/** Refuses several samples that would all be equal. */
export function checkSamples({ samples, temperature, mode }: GenerateConfig): readonly ConfigProblem[] {
  if (samples === 1 || (temperature > 0 && mode === 'text')) return [];
  return [
    {
      pointer: '/samples',
      code: 'equal-samples',
      message:
        mode === 'text'
          ? `\`samples: ${samples}\` with a temperature of 0 would give the same answer ${samples} times`
          : `\`samples\` means nothing with \`mode: ${mode}\``,
      help: mode === 'text' ? 'set a `temperature`, such as 0.8, or leave `samples` out' : 'leave it out',
    },
  ];
}

/** Finds a bad address when the pipeline is checked, before the address is stored anywhere. */
export function checkEndpoint({ endpoint }: GenerateConfig): readonly ConfigProblem[] {
  const problem = endpoint.base_url === undefined ? undefined : addressProblem(endpoint.base_url);
  if (problem === undefined) return [];
  return [{ ...problem, pointer: '/endpoint/base_url', message: `\`base_url\` ${problem.message}` }];
}
