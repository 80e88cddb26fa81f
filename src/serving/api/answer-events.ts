import type { JobEvent } from '../model/model-process.ts';
import type { AnswerPiece, ToldToken } from '../model/protocol.ts';
import { ApiError } from './api-error.ts';

/** What the model says of a request once it is taken in. */
export interface Answers {
  /** The tokens of all prompts. */
  readonly promptTokens: number;
  readonly pieces: AsyncIterable<AnswerPiece>;
}

/** Waits until the model takes a request in. Throws an ApiError if it refuses it. */
export async function begunAnswers(events: AsyncGenerator<JobEvent>): Promise<Answers> {
  const { value: first, done } = await events.next();
  if (done || first === undefined) throw restarting();
  if (first.type === 'begun')
    return {
      promptTokens: first.promptTokens.reduce((sum, tokens) => sum + tokens, 0),
      pieces: piecesOf(events),
    };
  throw errorOf(first);
}

export const restarting = (): ApiError =>
  new ApiError({ status: 503, message: 'the model is being loaded again', code: 'loading', retryAfter: 5 });

async function* piecesOf(events: AsyncGenerator<JobEvent>): AsyncGenerator<AnswerPiece> {
  for await (const event of events)
    if (event.type === 'piece') yield event.piece;
    else throw errorOf(event);
}

function errorOf(event: JobEvent): ApiError {
  if (event.type === 'refused') {
    const { message, code, field } = event.refusal;
    return new ApiError({ status: 400, message, code, param: field });
  }
  return new ApiError({
    status: 500,
    message: event.type === 'failed' ? event.message : 'the answer ended too soon',
  });
}

/** A whole answer. */
export interface WholeAnswer {
  readonly text: string;
  readonly tokens: readonly ToldToken[];
  readonly finishReason: 'stop' | 'length';
}

export interface WholeAnswers {
  /** In the order of the choices. */
  readonly answers: readonly WholeAnswer[];
  readonly usage: Usage;
}

/** What a request cost, in tokens. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export const usageOf = (prompt: number, completion: number): Usage => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});

/** All answers, once the last has ended. */
export async function wholeAnswers({ promptTokens, pieces }: Answers): Promise<WholeAnswers> {
  const found = new Map<number, { text: string; tokens: ToldToken[]; finishReason: 'stop' | 'length' }>();
  let written = 0;
  for await (const { choice, text, tokens, ended } of pieces) {
    const answer = found.get(choice) ?? { text: '', tokens: [], finishReason: 'length' };
    found.set(choice, answer);
    answer.text += text;
    answer.tokens.push(...tokens);
    answer.finishReason = ended?.finishReason ?? 'length';
    written += ended?.tokens ?? 0;
  }
  const answers = [...found].sort(([a], [b]) => a - b).map(([, answer]) => answer);
  return { answers, usage: usageOf(promptTokens, written) };
}

/** JSON has no infinity; OpenAI's API tells a token that cannot be with this. */
export const toldLogprob = (logprob: number): number =>
  logprob === Number.NEGATIVE_INFINITY ? -9999 : logprob;

/** What the objects of one answer begin with. */
export interface AnswerHead {
  readonly id: string;
  /** In seconds. */
  readonly created: number;
  readonly model: string;
}
