import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { UserError } from '../../core/index.ts';
import { commonPrefixLength, type Encodable, encodeFrom, type Tokenizer } from '../../text/index.ts';
import type { LanguageModel } from '../language-model.ts';
import type { ModelConfig } from '../model-config.ts';
import { DecodeSteps } from './decode-steps.ts';
import { type GeneratedText, type GenerationSettings, Sequence } from './generate-texts.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { isLengthBound, longestText, promptLength, slotCount } from './lengths.ts';
import { keyValueCache } from './open-key-value-cache.ts';
import { prefill, prefillContinuation, storePrompt } from './prefill.ts';

/** Generates a continuation of one prompt and streams its text. After an abort, the result is the text so far. */
export async function streamText({
  decoder,
  tokenizer,
  prompt,
  start,
  settings,
  signal,
  onText,
}: {
  /** Reuses its cache for what the prompt shares with the previous text. */
  readonly decoder: CachedDecoder;
  readonly tokenizer: Tokenizer;
  readonly prompt: Encodable;
  /** The token to put before the prompt. */
  readonly start?: number | undefined;
  readonly settings: GenerationSettings;
  readonly signal: AbortSignal;
  /** Called after each token with the whole text so far, without what may still become a character or a stop text. */
  readonly onText: (text: string) => void;
}): Promise<GeneratedText> {
  const tokens = encodeFrom(start, { tokenizer, text: prompt });
  const limit = longestText(decoder.config, tokens.length);
  const room = Math.min(settings.maxNewTokens, limit - tokens.length);
  if (room < 1)
    throw new UserError({
      code: 'context-limit',
      message: `the conversation has ${tokens.length} tokens, and the model's context has ${limit}`,
      help: 'start over with /reset',
    });
  const sequence = new Sequence({
    prompt: { id: 'chat', tokens },
    tokenizer,
    settings: { ...settings, maxNewTokens: room },
  });
  const next = (logits: Float32Array): number | undefined => {
    const token = sequence.next(logits);
    onText(withoutBeginning(sequence.result().text.replace(/\uFFFD+$/, ''), settings.stop));
    return token;
  };
  try {
    let token = next(await decoder.prefill({ tokens, room, limit }));
    while (token !== undefined) {
      await yieldToEventLoop();
      signal.throwIfAborted();
      token = next(await decoder.step(token));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return sequence.result();
}

/** A text without what it ends with of a stop text. */
export function withoutBeginning(text: string, stop: readonly string[]): string {
  const lengths = stop.map((one) => {
    let length = Math.min(one.length, text.length);
    while (length > 0 && !text.endsWith(one.slice(0, length))) length -= 1;
    return length;
  });
  return text.slice(0, text.length - Math.max(0, ...lengths));
}

/**
 * Decodes one text at a time and caches the keys and values of all its tokens. A text that starts like the previous
 * one, such as the next turn of a conversation, is computed only from where it differs.
 */
export class CachedDecoder implements Disposable {
  readonly #model: LanguageModel;
  #cache: KeyValueCache;
  #steps: DecodeSteps;
  /** The tokens in the cache. */
  #cached: readonly number[] = [];

  constructor(model: LanguageModel) {
    this.#model = model;
    this.#cache = keyValueCache(model.config, { batch: 1, slots: 0 });
    this.#steps = new DecodeSteps(model, this.#cache);
  }

  [Symbol.dispose](): void {
    this.#steps[Symbol.dispose]();
    this.#cache[Symbol.dispose]();
  }

  get config(): ModelConfig {
    return this.#model.config;
  }

  /** The logits after the last token, [V]. */
  async prefill({
    tokens,
    room,
    limit,
  }: {
    readonly tokens: Int32Array;
    /** How many tokens may follow. */
    readonly room: number;
    /** The most tokens that a text may have. */
    readonly limit: number;
  }): Promise<Float32Array> {
    const from = this.#cachedPrefix(tokens);
    this.#cached = this.#cached.slice(0, from);
    this.#makeRoom(tokens.length + room, limit);
    const cache = this.#cache;
    const fresh = tokens.subarray(from);
    const length = promptLength(fresh.length, limit - from);
    const logits =
      from === 0
        ? await this.#prefillAll(fresh, length)
        : await prefillContinuation(this.#model, { cache, tokens: fresh, from, length });
    this.#cached = [...tokens];
    return logits;
  }

  async #prefillAll(tokens: Int32Array, length: number): Promise<Float32Array> {
    const [prompt] = await prefill({ model: this.#model, prompts: [tokens], batch: 1, length });
    if (prompt === undefined) throw new Error('prefill returned no prompt');
    storePrompt(this.#cache, { prompt, row: 0 });
    return prompt.logits;
  }

  /** Doubles the slots at least, because every number of slots is a graph to compile. */
  #makeRoom(tokens: number, limit: number): void {
    const { slots } = this.#cache;
    if (slots >= tokens) return;
    this.#steps[Symbol.dispose]();
    this.#cache = this.#cache.widened(slotCount(Math.max(tokens, 2 * slots), limit));
    this.#steps = new DecodeSteps(this.#model, this.#cache);
  }

  /** The logits after one more token, [V]. */
  async step(token: number): Promise<Float32Array> {
    const logits = await this.#steps.step({ tokens: [token], positions: [this.#cached.length] });
    this.#cached = [...this.#cached, token];
    return logits;
  }

  /** How many leading tokens are cached: never the last, whose logits are needed, and none if keys depend on the text's length. */
  #cachedPrefix(tokens: Int32Array): number {
    if (isLengthBound(this.#model.config)) return 0;
    return Math.min(commonPrefixLength(tokens, this.#cached), tokens.length - 1);
  }
}
