import OpenAI from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import pMap from 'p-map';
import { type FaultyRecord, jsonText, UserError } from '../../../core/index.ts';
import type { GenerateConfig } from '../../../generated/generate-config.ts';
import { hideSecrets, secretsIn } from '../../../runtime/index.ts';
import type { FinishReason } from '../../../text/index.ts';
import { type Prompt, textOf } from '../prompt.ts';
import type { Answer, ModelClient } from '../text-generation.ts';
import { endpointAddress, isOpenai } from './endpoint-address.ts';
import {
  answersWithheld,
  type EndpointRequest,
  endpointError,
  longestWait,
  malformedAnswer,
  requestedWait,
} from './endpoint-error.ts';

/**
 * Completes prompts with a model behind an endpoint that speaks OpenAI's protocol: a conversation as its turns, a text
 * as a chat of one message. Faults that may pass (no connection, 408, 409, 429, 5xx) are retried after the time that
 * the server names, otherwise after a time that doubles. The first failure, or the signal, ends all requests.
 */
export const endpointClient = (
  model: string,
  {
    config,
    signal,
    onNote = () => {},
    environment = process.env,
  }: {
    readonly config: GenerateConfig;
    readonly signal: AbortSignal;
    /** Receives what makes a user wait. */
    readonly onNote?: ((message: string) => void) | undefined;
    readonly environment?: NodeJS.ProcessEnv;
  },
): ModelClient => ({
  // An endpoint reads turns where there are any, and formats them with its own template.
  identity: ({ pieces, conversation }) =>
    conversation === undefined ? textOf(pieces) : ['turns', jsonText(conversation)],
  async complete(prompts, onAnswer) {
    const { base_url, concurrency, timeout_seconds, retries } = config.endpoint;
    const address = endpointAddress(base_url, environment);
    const apiKey = apiKeyIn(environment);
    const request = { address: address.href, model, timeoutSeconds: timeout_seconds, retries, apiKey };
    const client = openClient(address, { ...request, onNote });
    const withheld: FaultyRecord[] = [];
    const tokenLimit = isOpenai(address) ? 'max_completion_tokens' : 'max_tokens';
    const failed = new AbortController();
    const stopped = AbortSignal.any([signal, failed.signal]);
    const complete = async (prompt: Prompt): Promise<void> => {
      const body = { model, ...chatOf(prompt, config), [tokenLimit]: config.max_new_tokens };
      const completion: unknown = await client.chat.completions
        .create(body, { signal: stopped })
        .catch((error: unknown) => {
          throw endpointError(error, request);
        });
      const answer = answerIn(completion, prompt.id, request);
      if (config.withheld === 'keep' || !isWithheld(answer)) return onAnswer(answer);
      withheld.push({ id: prompt.id, problem: `it ended with \`${answer.finishReason}\`` });
    };
    try {
      await pMap(prompts, complete, { concurrency, signal });
    } finally {
      failed.abort();
    }
    if (withheld.length > 0) throw answersWithheld(request, withheld);
  },
});

interface ClientRequest extends EndpointRequest {
  readonly onNote: (message: string) => void;
}

function openClient(address: URL, request: ClientRequest): OpenAI {
  const { apiKey, timeoutSeconds, retries } = request;
  if (apiKey === undefined && isOpenai(address))
    throw new UserError({
      code: 'no-api-key',
      message: `${address.href} needs an API key, and the environment variable OPENAI_API_KEY is not set`,
      help: 'set OPENAI_API_KEY, or set `endpoint.base_url` or OPENAI_BASE_URL to your own server',
    });
  return new OpenAI({
    baseURL: address.href,
    apiKey: apiKey ?? 'none',
    // Local servers need no key; `none` only satisfies the client and is not sent.
    ...(apiKey === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    timeout: Math.ceil(timeoutSeconds * 1000),
    maxRetries: retries,
    logLevel: 'off',
    fetch: (input, init) => fetchWhole(request, input, init),
  });
}

/** The key, which has to fit into a header. */
function apiKeyIn({ OPENAI_API_KEY: key }: NodeJS.ProcessEnv): string | undefined {
  if (!key || /^[\x21-\x7e]+$/.test(key)) return key || undefined;
  throw new UserError({
    code: 'bad-api-key',
    message:
      'the environment variable OPENAI_API_KEY is not a key: it contains white space or other invalid characters',
    help: 'set it to the key alone, without a line break or quotation marks',
  });
}

/**
 * Reads the body within the request's time limit, which the client applies to the headers only. Redirections are not
 * followed: the prompts, and maybe the API key, would go to an address that the user did not choose.
 */
async function fetchWhole(
  { address, onNote }: ClientRequest,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const response = await fetch(input, { ...init, redirect: 'manual' });
  const whole = new Response(await boundedBody(response), response);
  const seconds = requestedWait(response.headers);
  // The client waits for as long as a server asks, unless it is told not to retry.
  if (seconds > longestWait) whole.headers.set('x-should-retry', 'false');
  else if (seconds >= shownWait) onNote(`${address} asks to wait ${Math.round(seconds)} s`);
  return whole;
}

/** A wait that is worth a word, in seconds. */
const shownWait = 5;

/** Far more than any answer: a server must not be able to fill the memory. */
const mostBytes = 64 * 1024 * 1024;

async function boundedBody({ body }: Response): Promise<Blob | null> {
  if (body === null) return null;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > mostBytes) throw new Error(`the answer is longer than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  return new Blob(pieces);
}

function chatOf({ text, conversation, sample }: Prompt, config: GenerateConfig) {
  const { temperature, top_p, top_k, min_p, repetition_penalty, seed, stop, stop_tokens } = config;
  // The client's types know the fields of each role. What the data holds is sent unchanged, and the server checks it.
  const turns = conversation as unknown as
    | Pick<ChatCompletionCreateParamsNonStreaming, 'messages' | 'tools'>
    | undefined;
  return {
    ...(turns ?? { messages: [{ role: 'user' as const, content: text }] }),
    temperature,
    top_p,
    // Each sample is drawn with its own seed.
    seed: seed + sample,
    // Not in OpenAI's protocol, but known to vLLM, llama.cpp and Ollama.
    ...(top_k === undefined ? {} : { top_k }),
    ...(min_p === 0 ? {} : { min_p }),
    ...(repetition_penalty === 1 ? {} : { repetition_penalty }),
    ...(stop_tokens.length === 0 ? {} : { stop_token_ids: stop_tokens }),
    ...(stop.length === 0 ? {} : { stop }),
  };
}

function answerIn(completion: unknown, id: string, request: EndpointRequest): Answer {
  const { choices, usage } = objectIn(completion);
  const [choice] = Array.isArray(choices) ? choices : [];
  const { message, finish_reason } = objectIn(choice);
  if (typeof message !== 'object' || message === null)
    throw malformedAnswer(request, 'its answer has no `choices[0].message`');
  const { content, refusal, tool_calls: calls } = objectIn(message);
  if (typeof content !== 'string' && content !== null && content !== undefined)
    throw malformedAnswer(request, '`choices[0].message.content` is not a string');
  if (!content && Array.isArray(calls) && calls.length > 0)
    throw new UserError({
      code: 'endpoint-tool-calls',
      message: `${request.address} answered ${id} with tool calls, which are no text`,
      help: 'leave the `tools` out of the row, or write the tools into the text of the prompt',
    });
  const { completion_tokens: tokens } = objectIn(usage);
  return {
    id,
    // A server may repeat what it was sent, and answers are stored.
    text: hideSecrets(content ?? '', secretsIn(request.apiKey === undefined ? [] : [request.apiKey])),
    finishReason: finishReasonIn({ finish_reason, refusal, content }),
    tokens: typeof tokens === 'number' ? tokens : undefined,
  };
}

const objectIn = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

function finishReasonIn(ended: Record<'finish_reason' | 'refusal' | 'content', unknown>): FinishReason {
  const { finish_reason: reason, refusal, content } = ended;
  if (reason === 'length' || reason === 'content_filter') return reason;
  return typeof refusal === 'string' && refusal !== '' && !content ? 'refusal' : 'stop';
}

const isWithheld = ({ finishReason }: Answer): boolean =>
  finishReason === 'content_filter' || finishReason === 'refusal';
