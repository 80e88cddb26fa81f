import { UserError } from '../../user-error.ts';
import type { AnswerSource } from './answer-source.ts';
import { askAll } from './ask-all.ts';
import type { Generated, Generation } from './generation.ts';
import { identityOf, type Question } from './question.ts';

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
  return askAll(generation, { source, fingerprint: 'endpoint', identity: identityBehindEndpoint });
}

/** An endpoint reads turns where there are some, and writes them with a template of its own. */
const identityBehindEndpoint = ({ given, conversation }: Question): string =>
  conversation === undefined ? identityOf(given) : `turns:${JSON.stringify(conversation)}`;
