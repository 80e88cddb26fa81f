import type { Json } from '../../core/index.ts';
import type { ToldToken } from '../model/protocol.ts';
import { type AnswerHead, type Answers, toldLogprob, usageOf, wholeAnswers } from './answer-events.ts';
import type { CompletionRequest } from './completion-request.ts';

/** The body of the response to a request that does not stream. */
export async function completionAnswer(
  { job }: CompletionRequest,
  answers: Answers,
  head: AnswerHead,
): Promise<object> {
  const whole = await wholeAnswers(answers);
  const choices = whole.answers.map(({ text, tokens, finishReason }, index) => ({
    ...{ index, text },
    logprobs: job.logprobs === undefined ? null : logprobsOf(tokens),
    finish_reason: finishReason,
  }));
  return { ...head, object: 'text_completion', choices, usage: { ...whole.usage } };
}

/** The chunks of a response that streams. */
export async function* completionChunks(
  { job, includesUsage }: CompletionRequest,
  { promptTokens, pieces }: Answers,
  head: AnswerHead,
): AsyncGenerator<object> {
  let written = 0;
  const chunk = (choices: readonly Json[]) => ({
    ...head,
    object: 'text_completion',
    choices,
    ...(includesUsage && { usage: null }),
  });
  for await (const { choice, text, tokens, ended } of pieces) {
    written += ended?.tokens ?? 0;
    const logprobs = job.logprobs === undefined ? null : logprobsOf(tokens);
    yield chunk([{ index: choice, text, logprobs, finish_reason: ended?.finishReason ?? null }]);
  }
  if (includesUsage) yield { ...chunk([]), usage: usageOf(promptTokens, written) };
}

/**
 * Log-probabilities as the completions API tells them: lists side by side, with one entry for each token of the prompt
 * that is echoed and of the answer, its end included. The likeliest tokens are given by their texts, and the token
 * itself is among them.
 */
const logprobsOf = (tokens: readonly ToldToken[]) => ({
  tokens: tokens.map(({ text }) => text),
  token_logprobs: tokens.map(({ logprob }) => (logprob === null ? null : toldLogprob(logprob))),
  top_logprobs: tokens.map(topLogprobs),
  text_offset: tokens.map(({ offset }) => offset),
});

/** Two tokens may have one text, such as a special token and its spelling: the likelier counts. */
function topLogprobs({ text, logprob, top }: ToldToken): Readonly<Record<string, number>> | null {
  if (logprob === null) return null;
  const likely = new Map<string, number>();
  for (const one of [...top, { text, logprob }])
    if (!likely.has(one.text)) likely.set(one.text, toldLogprob(one.logprob));
  return Object.fromEntries(likely);
}
