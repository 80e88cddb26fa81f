import { RecordProblems, UserError } from '../../core/index.ts';
import { type TextScore, type TextToScore, textLogLikelihoods } from '../../model/index.ts';
import {
  type BosRule,
  commonPrefixLength,
  emptyContext,
  encodeFrom,
  startToken,
  type Tokenizer,
} from '../../text/index.ts';
import type { LocalModel } from '../models/local-model.ts';
import type { Generation, GenerationMode } from './generate.ts';
import { identityOf, type Prompt, promptIdentity, textOf } from './prompt.ts';

/** A log-likelihood in the response cache, summed over the tokens. */
type CachedSum = readonly [logLikelihood: number, tokens: number];

function decodeSum(value: unknown): CachedSum | undefined {
  if (!Array.isArray(value)) return undefined;
  const [logLikelihood, tokens]: unknown[] = value;
  return typeof logLikelihood === 'number' && typeof tokens === 'number'
    ? [logLikelihood, tokens]
    : undefined;
}

/** `score` mode: the log-likelihood of each record's response. */
export function responseLogLikelihood(
  { model, tokenizer }: LocalModel,
  { config, prompts, host }: Generation,
): GenerationMode<CachedSum> {
  refuseWithoutResponses(prompts);
  return {
    cacheKey: (prompt) => [...promptIdentity(prompt), identityOf(prompt.rest)],
    decode: decodeSum,
    async compute(missing, onResult) {
      const texts = missing.map((prompt) => textToScore(prompt, { tokenizer, bos: config.bos }));
      const scoring = { model, texts, batchSize: config.batch_size, signal: host.signal };
      for await (const { id, logLikelihood, tokens } of textLogLikelihoods(scoring))
        onResult({ id, result: [logLikelihood, tokens], tokens });
    },
    responseFields: (_, [log_likelihood, scored_tokens]) => ({ log_likelihood, scored_tokens }),
  };
}

/** Without any response only the ends of the texts would be scored, and their losses would look like any others. */
function refuseWithoutResponses(prompts: readonly Prompt[]): void {
  if (prompts.length === 0 || prompts.some(({ expected }) => expected !== '')) return;
  throw new UserError({
    code: 'no-response',
    message: `none of the ${prompts.length} records has a response to score`,
    help: 'give the template of format a `response`, or let the model answer with `mode: text`',
  });
}

/**
 * The text is encoded as a whole, as for training. Scoring begins at the first token that differs from the prompt's and
 * includes an end of text if the record does not end itself.
 */
export function textToScore(
  { id, pieces, rest, ended, isChat }: Prompt,
  { tokenizer, bos }: { readonly tokenizer: Tokenizer; readonly bos: BosRule },
): TextToScore {
  const start = startToken(tokenizer, { bos, isChat });
  const whole = encodeFrom(start, { tokenizer, text: [...pieces, ...rest] });
  const from = commonPrefixLength(whole, encodeFrom(start, { tokenizer, text: pieces }));
  // Without a prompt the first token follows the beginning of a text.
  const before = from === 0 ? [emptyContext(tokenizer, bos)] : [];
  const after = ended ? [] : [tokenizer.endOfText];
  return { id, tokens: Int32Array.of(...before, ...whole, ...after), from: from + before.length };
}

/** `rolling` mode: the log-likelihood of each record's whole text, however long. */
export const rollingLogLikelihood = (
  { model, tokenizer }: LocalModel,
  { config, host }: Generation,
): GenerationMode<CachedSum> => ({
  cacheKey: ({ pieces, rest }) => [identityOf([...pieces, ...rest])],
  decode: decodeSum,
  async compute(prompts, onResult) {
    const { contextLength } = model.config;
    const window = Math.min(config.window ?? contextLength, contextLength);
    const before = emptyContext(tokenizer, config.bos);
    const texts = windowedTexts(prompts, { tokenizer, window, before });
    const textOfWindow = new Map(texts.flatMap((text) => text.windows.map(({ id }) => [id, text])));
    const missing = new Map(texts.map(({ id, windows }) => [id, windows.length]));
    const scores = new Map<string, TextScore>();
    const windows = texts.flatMap((text) => text.windows);
    const scoring = { model, texts: windows, batchSize: config.batch_size, signal: host.signal };
    for await (const score of textLogLikelihoods(scoring)) {
      scores.set(score.id, score);
      const text = textOfWindow.get(score.id);
      if (text === undefined) continue;
      const left = (missing.get(text.id) ?? 0) - 1;
      missing.set(text.id, left);
      if (left > 0) continue;
      // Added in the order of the windows, whichever was scored first.
      const own = text.windows.flatMap(({ id }) => scores.get(id) ?? []);
      const tokens = own.reduce((sum, one) => sum + one.tokens, 0);
      const logLikelihood = own.reduce((sum, one) => sum + one.logLikelihood, 0);
      onResult({ id: text.id, result: [logLikelihood, tokens], tokens });
    }
  },
  responseFields: (prompt, [log_likelihood, scored_tokens]) => {
    const text = prompt.text + textOf(prompt.rest);
    const words = text.split(/\s+/u).length;
    return { log_likelihood, scored_tokens, words, bytes: Buffer.byteLength(text) };
  },
});

function windowedTexts(
  prompts: readonly Prompt[],
  {
    tokenizer,
    window,
    before,
  }: { readonly tokenizer: Tokenizer; readonly window: number; readonly before: number },
): readonly { readonly id: string; readonly windows: readonly TextToScore[] }[] {
  const problems = new RecordProblems('cannot be scored');
  const texts = prompts.flatMap(({ id, pieces, rest }) => {
    const own = problems.collect({ id }, () => {
      const tokens = encodeFrom(before, { tokenizer, text: [...pieces, ...rest] });
      if (tokens.length > 1) return rollingWindows({ id, tokens }, window);
      throw new UserError({ code: 'no-tokens', message: 'its text has no tokens' });
    });
    return own === undefined ? [] : [{ id, windows: own }];
  });
  problems.throwIfAny();
  return texts;
}

/**
 * Windows over a text in which each of its tokens is scored once: one after the other without overlap, each as long as
 * the model's context. The text's first token is not scored; the last window is moved back until it is full.
 */
export function rollingWindows(
  { id: textId, tokens: whole }: { readonly id: string; readonly tokens: Int32Array },
  window: number,
): readonly TextToScore[] {
  const windows: TextToScore[] = [];
  for (let done = 1; done < whole.length; done += window) {
    const end = Math.min(done + window, whole.length);
    const begin = Math.max(0, end - window - 1);
    const id = `${textId}/${windows.length}`;
    windows.push({ id, tokens: whole.subarray(begin, end), from: done - begin });
  }
  return windows;
}
