import OpenAI from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import pMap from 'p-map';
import { UserError } from '../../../core/index.ts';
import type { GenerateConfig } from '../../../generated/generate-config.ts';
import type { Conversation } from '../../../text/index.ts';
import type { Answer, AnswerRequest, Asking, Sampling } from '../generation.ts';
import { endpointAddress, isOpenai } from './endpoint-address.ts';
import { type AskedEndpoint, endpointError, malformedAnswer } from './endpoint-error.ts';

export interface EndpointAsking extends Asking {
  /** The model's name at the endpoint. */
  readonly model: string;
  readonly settings: GenerateConfig['endpoint'];
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Has a model behind an endpoint that speaks OpenAI's protocol answer every request: a conversation as its turns, a text as
 * a chat of one message.
 * Faults that may pass (no connection, 408, 409, 429, 5xx) are tried again after the time that the server names, else
 * after a time that doubles.
 */
export async function askEndpoint(asking: EndpointAsking): Promise<void> {
  const { model, settings, environment = process.env, requests, sampling, signal, onAnswer } = asking;
  const address = endpointAddress(settings.base_url, environment);
  const asked: AskedEndpoint = {
    address: address.href,
    model,
    timeoutSeconds: settings.timeout_seconds,
    retries: settings.retries,
    apiKey: environment.OPENAI_API_KEY || undefined,
  };
  const client = openClient(address, asked);
  const tokenLimit = isOpenai(address) ? 'max_completion_tokens' : 'max_tokens';
  // Requests in flight end with the first failure.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const ask = async (request: AnswerRequest): Promise<void> => {
    const body = { model, ...chatOf(request, sampling), [tokenLimit]: sampling.max_new_tokens };
    const completion: unknown = await client.chat.completions
      .create(body, { signal: either })
      .catch((error: unknown) => {
        throw endpointError(error, asked);
      });
    onAnswer(answerIn(completion, request.id, asked));
  };
  try {
    await pMap(requests, ask, { concurrency: settings.concurrency, signal });
  } finally {
    failed.abort();
  }
}

function openClient(address: URL, { apiKey, timeoutSeconds, retries }: AskedEndpoint): OpenAI {
  if (apiKey === undefined && isOpenai(address))
    throw new UserError({
      code: 'no-api-key',
      message: `${address.href} needs an API key, and the environment variable OPENAI_API_KEY is not set`,
      help: 'set OPENAI_API_KEY, or set `endpoint.base_url` or OPENAI_BASE_URL to a server of your own',
    });
  return new OpenAI({
    baseURL: address.href,
    apiKey: apiKey ?? 'none',
    // Local servers need no key; `none` only satisfies the client and is not sent.
    ...(apiKey === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    timeout: Math.ceil(timeoutSeconds * 1000),
    maxRetries: retries,
    logLevel: 'off',
    fetch: fetchWhole,
  });
}

/**
 * Reads the body within the request's time limit, which the client applies to the headers only. A redirection is an
 * answer like any other: followed, it would carry the prompts, and maybe the API key, to where nobody meant them to go.
 */
async function fetchWhole(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, { ...init, redirect: 'manual' });
  return new Response(await boundedBody(response), response);
}

/** No answer is near as long; a server must not be able to fill the memory. */
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

function chatOf({ prompt, conversation, sample }: AnswerRequest, sampling: Sampling) {
  const { temperature, top_p, top_k, min_p, repetition_penalty, seed, stop, stop_tokens } = sampling;
  return {
    ...turnsOf(prompt, conversation),
    temperature,
    top_p,
    // Each sample has draws of its own.
    seed: seed + sample,
    // Not OpenAI's own, but known to vLLM, llama.cpp and Ollama.
    ...(top_k === undefined ? {} : { top_k }),
    ...(min_p === 0 ? {} : { min_p }),
    ...(repetition_penalty === 1 ? {} : { repetition_penalty }),
    ...(stop_tokens.length === 0 ? {} : { stop_token_ids: stop_tokens }),
    ...(stop.length === 0 ? {} : { stop }),
  };
}

/** Turns are sent as the record has them, with what belongs to tools; roles and fields are the server's to judge. */
function turnsOf(prompt: string, conversation: Conversation | undefined) {
  if (conversation === undefined) return { messages: [{ role: 'user' as const, content: prompt }] };
  // The client's types know the fields of each role; what the data holds is whatever the user wrote.
  return conversation as unknown as Pick<ChatCompletionCreateParamsNonStreaming, 'messages' | 'tools'>;
}

function answerIn(completion: unknown, id: string, asked: AskedEndpoint): Answer {
  const { choices, usage } = objectIn(completion);
  const [choice] = Array.isArray(choices) ? choices : [];
  const { message, finish_reason } = objectIn(choice);
  if (message === undefined) throw malformedAnswer(asked, 'its answer has no `choices[0].message`');
  const { content } = objectIn(message);
  if (typeof content !== 'string' && content !== null && content !== undefined)
    throw malformedAnswer(asked, '`choices[0].message.content` is not a text');
  const { completion_tokens: tokens } = objectIn(usage);
  return {
    id,
    text: content ?? '',
    finishReason: finish_reason === 'length' ? 'length' : 'stop',
    tokens: typeof tokens === 'number' ? tokens : undefined,
  };
}

const objectIn = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
