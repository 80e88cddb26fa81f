import { UserError } from '../../user-error.ts';
import type { AnswerSource } from './answer-source.ts';
import { askAll } from './ask-all.ts';
import type { Generated, Generation } from './generation.ts';

/** Lets a model behind an endpoint answer; `model` is its name there. */
export async function generateBehindEndpoint(generation: Generation & { model: string }): Promise<Generated> {
  const { config, model } = generation;
  if (config.mode !== 'text')
    throw new UserError({
      code: 'endpoint-score',
      message: `the model \`${model}\` is behind an endpoint, which cannot rate given responses`,
      help: 'rate with a model folder, or let the endpoint answer with `mode: text`',
    });
  if (config.precision !== 'float32')
    throw new UserError({
      code: 'endpoint-precision',
      message: `the model \`${model}\` is behind an endpoint, which decides by itself how it computes`,
      help: 'leave out `precision`',
    });
  const { askEndpoint } = await import('./endpoint/ask-endpoint.ts');
  const source: AnswerSource = (asking) => askEndpoint({ ...asking, model, settings: config.endpoint });
  return askAll(generation, { source, fingerprint: 'endpoint' });
}
