import { isList, type Json } from '../../core/index.ts';
import type { PromptSource, TextJob } from '../model/protocol.ts';
import {
  checkAnswers,
  readSending,
  readSettings,
  refuseUnsupported,
  type Sending,
  samples,
} from './common-fields.ts';
import { FieldProblem, flag, list, type ReadField, RequestFields, text, whole } from './request-fields.ts';

export interface CompletionRequest extends Sending {
  readonly model: string;
  readonly job: Omit<TextJob, 'adapter'>;
  readonly user: string | undefined;
}

/** OpenAI's default. */
const defaultTokens = 16;
const mostPrompts = 128;
const mostPromptTokens = 2 ** 20;

/** Reads the body of POST /v1/completions. Throws an ApiError that names every field at fault. */
export function readCompletionRequest(body: Json): CompletionRequest {
  const fields = new RequestFields(body);
  const model = fields.require('model', text) ?? '';
  const prompts = fields.require('prompt', promptSources) ?? [];
  const settings = {
    ...readSettings(fields),
    maxNewTokens: fields.read('max_tokens', whole(0)) ?? defaultTokens,
  };
  const echo = fields.read('echo', flag) ?? false;
  const logprobs = fields.read('logprobs', whole(0, 20));
  const sending = readSending(fields);
  const count = fields.read('n', samples) ?? 1;
  const user = fields.read('user', text);
  fields.unsupported('best_of', 'every answer is returned', (given) => given === count);
  fields.unsupported('suffix', 'the model only continues texts', (given) => given === '');
  fields.unsupported('response_format', 'the form of an answer cannot be enforced');
  refuseUnsupported(fields);
  checkAnswers(fields, { prompts: prompts.length, samples: count });
  fields.finish();
  return {
    ...{ model, ...sending, user },
    job: { prompts, samples: count, settings, echo, logprobs, stream: sending.stream },
  };
}

const tokens: ReadField<readonly number[]> = list(whole(0), mostPromptTokens);

/** A text, the ids of one, or a list of either. */
const promptSources: ReadField<readonly PromptSource[]> = (given) => {
  if (typeof given === 'string') return [{ kind: 'text', text: given }];
  if (!isList(given)) throw new FieldProblem('is neither text nor a list');
  if (given.length === 0) throw new FieldProblem('is an empty list');
  if (given.every((one) => typeof one === 'number')) return [{ kind: 'tokens', tokens: tokens(given) }];
  return list(promptSource, mostPrompts)(given);
};

const promptSource: ReadField<PromptSource> = (given: Json) =>
  typeof given === 'string' ? { kind: 'text', text: given } : { kind: 'tokens', tokens: tokens(given) };
