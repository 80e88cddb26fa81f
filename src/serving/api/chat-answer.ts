import { randomUUID } from 'node:crypto';
import type { Json } from '../../core/index.ts';
import type { AnswerPiece, TokenName, ToldToken } from '../model/protocol.ts';
import { type CallsInAnswer, callsIn, certainText, type ToolCall, type ToolCallForm } from '../tool-calls.ts';
import { type AnswerHead, type Answers, toldLogprob, usageOf, wholeAnswers } from './answer-events.ts';
import type { ChatRequest } from './chat-request.ts';

/** How the model's calls are read; undefined if it was given no tools or its form of calls is not known. */
const formFor = ({ tools }: ChatRequest, form: ToolCallForm | undefined): ToolCallForm | undefined =>
  tools.size > 0 ? form : undefined;

/** The body of the response to a request that does not stream. */
export async function chatAnswer(
  request: ChatRequest,
  answers: Answers,
  { form: known, ...head }: AnswerHead & { readonly form: ToolCallForm | undefined },
): Promise<object> {
  const whole = await wholeAnswers(answers);
  const form = formFor(request, known);
  const choices = whole.answers.map(({ text, tokens, finishReason }, index) => {
    const { content, calls } = readCalls(text, request, form);
    return {
      index,
      message: {
        role: 'assistant',
        content: content === '' && calls.length > 0 ? null : content,
        refusal: null,
        ...(calls.length > 0 && { tool_calls: calls.map(toldCall) }),
      },
      logprobs: request.job.logprobs === undefined ? null : logprobsOf(tokens),
      finish_reason: calls.length > 0 ? 'tool_calls' : finishReason,
    };
  });
  return { ...head, object: 'chat.completion', choices, usage: { ...whole.usage } };
}

const readCalls = (text: string, { tools }: ChatRequest, form: ToolCallForm | undefined): CallsInAnswer =>
  form === undefined ? { content: text, calls: [] } : callsIn(text, form, tools);

const toldCall = ({ name, arguments: given }: ToolCall) => ({
  id: `call_${randomUUID().replaceAll('-', '')}`,
  type: 'function',
  function: { name, arguments: given },
});

/** The chunks of a response that streams. What may become a tool call is held back until it is known. */
export async function* chatChunks(
  request: ChatRequest,
  { promptTokens, pieces }: Answers,
  { form: known, ...head }: AnswerHead & { readonly form: ToolCallForm | undefined },
): AsyncGenerator<object> {
  const form = formFor(request, known);
  const { includesUsage, job } = request;
  const chunk = (choices: readonly Json[]) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices,
    ...(includesUsage && { usage: null }),
  });
  const streams = Array.from({ length: job.samples }, () => new ChoiceStream(request, form));
  for (const index of streams.keys())
    yield chunk([{ index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }]);
  let written = 0;
  for await (const piece of pieces) {
    written += piece.ended?.tokens ?? 0;
    for (const choice of streams[piece.choice]?.add(piece) ?? [])
      yield chunk([{ index: piece.choice, ...choice }]);
  }
  if (includesUsage) yield { ...chunk([]), usage: usageOf(promptTokens, written) };
}

interface ChoiceChunk {
  readonly [field: string]: Json;
}

/** One answer that streams. */
class ChoiceStream {
  readonly #request: ChatRequest;
  readonly #form: ToolCallForm | undefined;
  #text = '';
  #sent = 0;
  #tokens: ToldToken[] = [];

  constructor(request: ChatRequest, form: ToolCallForm | undefined) {
    this.#request = request;
    this.#form = form;
  }

  *add({ text, tokens, ended }: AnswerPiece): Generator<ChoiceChunk> {
    this.#text += text;
    this.#tokens.push(...tokens);
    if (ended === undefined) {
      yield* this.#send(this.#form === undefined ? this.#text.length : certainText(this.#text, this.#form));
      return;
    }
    const { calls } = readCalls(this.#text, this.#request, this.#form);
    // Text between and after calls is rare, and white space then.
    if (calls.length === 0 || this.#form === undefined) yield* this.#send(this.#text.length);
    else yield* this.#send(certainText(this.#text, this.#form));
    if (calls.length > 0)
      yield this.#chunk({ tool_calls: calls.map((call, index) => ({ index, ...toldCall(call) })) }, null);
    yield this.#chunk({}, calls.length > 0 ? 'tool_calls' : ended.finishReason);
  }

  *#send(length: number): Generator<ChoiceChunk> {
    if (length <= this.#sent) return;
    const content = this.#text.slice(this.#sent, length);
    this.#sent = length;
    yield this.#chunk({ content }, null);
  }

  #chunk(delta: ChoiceChunk, finishReason: string | null): ChoiceChunk {
    const told = this.#tokens;
    this.#tokens = [];
    const isAsked = this.#request.job.logprobs !== undefined;
    return {
      delta,
      logprobs: isAsked && told.length > 0 ? logprobsOf(told) : null,
      finish_reason: finishReason,
    };
  }
}

/** Log-probabilities as the chat API tells them, without the end of the answer. */
const logprobsOf = (tokens: readonly ToldToken[]) => ({
  content: tokens
    .filter(({ isEnd }) => !isEnd)
    .map((token) => ({
      ...toldToken(token, token.logprob ?? 0),
      top_logprobs: token.top.map((one) => toldToken(one, one.logprob)),
    })),
  refusal: null,
});

const toldToken = ({ text, bytes }: TokenName, logprob: number) => ({
  token: text,
  logprob: toldLogprob(logprob),
  bytes: [...bytes],
});
