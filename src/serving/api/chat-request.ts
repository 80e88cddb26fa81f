import { isList, isObject, type Json, type JsonObject, jsonText } from '../../core/index.ts';
import type { ServedModel, TextJob } from '../model/protocol.ts';
import { ApiError } from './api-error.ts';
import {
  checkAnswers,
  readSending,
  readSettings,
  refuseUnsupported,
  type Sending,
  samples,
} from './common-fields.ts';
import {
  FieldProblem,
  flag,
  list,
  object,
  type ReadField,
  RequestFields,
  text,
  whole,
} from './request-fields.ts';

export interface ChatRequest extends Sending {
  readonly model: string;
  readonly job: Omit<TextJob, 'adapter'>;
  /** The names of the tools that the model may call. */
  readonly tools: ReadonlySet<string>;
  readonly user: string | undefined;
}

const mostMessages = 4096;
const mostTools = 128;

/** Reads the body of POST /v1/chat/completions. Throws an ApiError that names every field at fault. */
export function readChatRequest(body: Json, { noChat }: ServedModel): ChatRequest {
  const fields = new RequestFields(body);
  const model = fields.require('model', text) ?? '';
  const messages = fields.require('messages', list(message, mostMessages)) ?? [];
  const tools = readTools(fields);
  const settings = { ...readSettings(fields), maxNewTokens: readLimit(fields) };
  const sending = readSending(fields);
  const count = fields.read('n', samples) ?? 1;
  const logprobs = readLogprobs(fields);
  const variables = fields.read('chat_template_kwargs', object) ?? {};
  const user = fields.read('user', text);
  refuseUnsupported(fields);
  refuseOfChat(fields);
  checkAnswers(fields, { prompts: 1, samples: count });
  fields.finish();
  if (messages.length === 0)
    throw new ApiError({
      status: 400,
      message: '`messages` is an empty list',
      param: 'messages',
      code: 'invalid_value',
    });
  if (noChat !== undefined)
    throw new ApiError({
      status: 400,
      message: `this model has no chat template (${noChat}): use /v1/completions, or serve it with --template`,
      code: 'no_chat_template',
    });
  return {
    ...{ model, ...sending, user },
    tools: new Set(tools.map(nameOfTool)),
    job: {
      prompts: [{ kind: 'chat', input: jsonText({ messages, tools, variables }) }],
      ...{ samples: count, settings, echo: false, logprobs, stream: sending.stream },
    },
  };
}

const roles = ['system', 'developer', 'user', 'assistant', 'tool'];
const partsOfMessage = [
  ...['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'refusal', 'reasoning_content', 'reasoning'],
  ...['type', 'audio', 'function_call', 'annotations'],
];

/** A message as templates read it; without what says nothing. */
const message: ReadField<JsonObject> = (given) => {
  const { type, refusal, annotations, ...fields } = object(given);
  const present = Object.entries(fields).filter(([, value]) => value !== null);
  const other = Object.keys(given as JsonObject).find((name) => !partsOfMessage.includes(name));
  if (other !== undefined) throw new FieldProblem(`has \`${other.slice(0, 64)}\`, which no message has`);
  if (!roles.some((role) => role === fields.role))
    throw new FieldProblem(`has the role ${shown(fields.role)}, which is not one of ${roles.join(', ')}`);
  if (type !== undefined && type !== 'text' && type !== 'message')
    throw new FieldProblem(`is of the type ${shown(type)}`);
  if ((refusal ?? null) !== null) throw new FieldProblem('has a `refusal`, which no template writes');
  if (isList(annotations) ? annotations.length > 0 : (annotations ?? null) !== null)
    throw new FieldProblem('has `annotations`, which no template writes');
  for (const name of ['audio', 'function_call'])
    if ((fields[name] ?? null) !== null) throw new FieldProblem(`has \`${name}\`, which is not supported`);
  const { content = null } = fields;
  const isPart = (part: Json) => isObject(part) && part.type === 'text' && typeof part.text === 'string';
  if (isList(content) && !content.every(isPart))
    throw new FieldProblem('has a content with parts that are not text, which is not supported');
  if (content !== null && typeof content !== 'string' && !isList(content))
    throw new FieldProblem('has a content that is neither text nor a list of parts');
  const entries =
    isList(content) && content.length === 0 ? present.filter(([name]) => name !== 'content') : present;
  return { ...Object.fromEntries(entries), ...(fields.content === null && { content: null }) };
};

const shown = (value: Json | undefined): string => jsonText(value ?? null).slice(0, 64);

/** The tools that the model may call: none with `tool_choice: none`, and a call cannot be required. */
function readTools(fields: RequestFields): readonly JsonObject[] {
  const tools = fields.read('tools', list(tool, mostTools)) ?? [];
  const choice = fields.read('tool_choice', (given) => given) ?? 'auto';
  if (choice !== 'auto' && choice !== 'none')
    fields.refuse('tool_choice', 'can be `auto` or `none`: this server cannot make the model call a tool');
  fields.unsupported(
    'parallel_tool_calls',
    'the model decides how many tools it calls',
    (given) => given === true,
  );
  return choice === 'none' ? [] : tools;
}

const tool: ReadField<JsonObject> = (given) => {
  const { type, function: called } = object(given);
  if (type !== 'function')
    throw new FieldProblem(`is of the type ${shown(type)}, where \`function\` is supported`);
  if (!isObject(called) || typeof called.name !== 'string' || called.name === '')
    throw new FieldProblem('has no `function` with a name');
  if (called.strict === true) throw new FieldProblem('is `strict`, which is not supported');
  return object(given);
};

const nameOfTool = ({ function: called }: JsonObject): string =>
  isObject(called) && typeof called.name === 'string' ? called.name : '';

function readLimit(fields: RequestFields): number | undefined {
  const former = fields.read('max_tokens', whole(1));
  const limit = fields.read('max_completion_tokens', whole(1));
  if (former !== undefined && limit !== undefined && former !== limit)
    fields.refuse('max_tokens', 'differs from `max_completion_tokens`');
  return limit ?? former;
}

/** The number of likeliest tokens that are told beside each token; undefined for no log-probabilities. */
function readLogprobs(fields: RequestFields): number | undefined {
  const isAsked = fields.read('logprobs', flag) ?? false;
  const top = fields.read('top_logprobs', whole(0, 20));
  if (top !== undefined && top > 0 && !isAsked) fields.refuse('top_logprobs', 'needs `logprobs: true`');
  return isAsked ? (top ?? 0) : undefined;
}

function refuseOfChat(fields: RequestFields): void {
  fields.unsupported(
    'response_format',
    'the form of an answer cannot be enforced',
    (given) => isObject(given) && given.type === 'text',
  );
  fields.unsupported(
    'modalities',
    'answers are text',
    (given) => isList(given) && given.every((one) => one === 'text'),
  );
  for (const name of ['functions', 'function_call']) fields.unsupported(name, 'use `tools`');
  for (const name of ['audio', 'prediction', 'reasoning_effort', 'verbosity', 'web_search_options'])
    fields.unsupported(name, 'the model has no such thing');
}
