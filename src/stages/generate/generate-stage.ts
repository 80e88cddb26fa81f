import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';
import { declareStage } from '../declare-stage.ts';
import { addressProblem } from './endpoint/endpoint-address.ts';

/** Lets a model answer prompts, or scores the responses that they should have. */
export const generateStage = declareStage<GenerateConfig>({
  name: 'generate',
  version: 3,
  // Other shapes of passes changed the last digits of log-likelihoods of choices, and no other bytes.
  versionOf: ({ mode }) => (mode === 'choices' || mode === 'task' ? 4 : 3),
  ports: () => ({
    inputs: {
      model: { accepts: ['model'], required: true, parts: 'one' },
      prompts: { accepts: ['records'], required: true, parts: 'one' },
      adapter: { accepts: ['adapter', 'model'], required: false, parts: 'each' },
    },
    outputs: { responses: { type: 'responses' } },
  }),
  check: (config) => [...checkEndpoint(config), ...checkSamples(config), ...checkTaskMode(config)],
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
  // What a record's task says is cached with each answer; the seed of its draws is not.
  const draws = ['top_k', 'top_p', 'min_p', ...(mode === 'task' ? [] : ['seed'])];
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

/** Refuses fields that a record's task sets. */
export function checkTaskMode(config: GenerateConfig): readonly ConfigProblem[] {
  if (config.mode !== 'task') return [];
  const set = {
    max_new_tokens: config.max_new_tokens !== 256,
    start: config.start !== 'prompt',
    temperature: config.temperature !== 0,
    top_k: config.top_k !== undefined,
    top_p: config.top_p !== 1,
    min_p: config.min_p !== 0,
    repetition_penalty: config.repetition_penalty !== 1,
    stop: config.stop.length > 0,
  };
  return Object.entries(set)
    .filter(([, isSet]) => isSet)
    .map(([field]) => ({
      pointer: `/${field}`,
      code: 'unheeded-field',
      message: `\`${field}\` means nothing with \`mode: task\`: each record's task says how it is answered`,
      help: 'write it into a task of yours that includes the other, or leave it out',
    }));
}

/** Finds a bad address when the pipeline is checked, before the address is stored anywhere. */
export function checkEndpoint({ endpoint }: GenerateConfig): readonly ConfigProblem[] {
  const problem = endpoint.base_url === undefined ? undefined : addressProblem(endpoint.base_url);
  if (problem === undefined) return [];
  return [{ ...problem, pointer: '/endpoint/base_url', message: `\`base_url\` ${problem.message}` }];
}
