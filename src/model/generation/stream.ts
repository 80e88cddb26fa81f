import { setImmediate } from 'node:timers/promises';
import { UserError } from '../../core/index.ts';
import type { Encodable, Tokenizer } from '../../text/index.ts';
import type { LanguageModel } from '../language-model.ts';
import { readTokens } from './decode.ts';
import { TextWriter, type WritingSettings, type WrittenText } from './generate-texts.ts';
import { KeyValueCache } from './key-value-cache.ts';
import { longestText, promptLength, slotCount } from './lengths.ts';
import { readContinuation, readPrompts } from './prefill.ts';
import { isLengthBound } from './tree-attention.ts';

interface Streaming {
  readonly model: Pick<LanguageModel, 'config'>;
  /** The model at work; what it has read before of the prompt's beginning is not read again. */
  readonly reader: TextReader;
  readonly tokenizer: Tokenizer;
  readonly prompt: Encodable;
  readonly settings: WritingSettings;
  readonly signal: AbortSignal;
  /** Told the whole text so far after each token; a character whose bytes are not all there yet is left out. */
  readonly onText: (text: string) => void;
}

/** Lets a model continue one prompt, telling its text as it comes. What was written before an abort is the result too. */
export async function streamText(streaming: Streaming): Promise<WrittenText> {
  const { model, reader, tokenizer, prompt, settings, signal, onText } = streaming;
  const tokens = tokenizer.encode(prompt);
  const limit = longestText(model.config, tokens.length);
  const room = Math.min(settings.maxNewTokens, limit - tokens.length);
  if (room < 1)
    throw new UserError({
      code: 'context-limit',
      message: `the conversation has ${tokens.length} tokens, and the model reads ${limit} at most`,
      help: 'begin anew with /reset',
    });
  const writer = new TextWriter({
    prompt: { id: 'chat', tokens },
    tokenizer,
    settings: { ...settings, maxNewTokens: room },
  });
  const next = (logits: Float32Array): number | undefined => {
    const token = writer.next(logits);
    onText(writer.written().text.replace(/\uFFFD+$/, ''));
    return token;
  };
  try {
    let token = next(await reader.read({ tokens, room, limit }));
    while (token !== undefined) {
      await setImmediate(); // lets an abort arrive
      signal.throwIfAborted();
      token = next(await reader.next(token));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return writer.written();
}

interface TextToRead {
  readonly tokens: Int32Array;
  /** How many tokens may still follow. */
  readonly room: number;
  /** The most tokens that a text may have. */
  readonly limit: number;
}

/**
 * Reads one text, token after token, and keeps the keys and values of all of it: a text that begins as the last one did,
 * such as the next turn of a conversation, is read from where it differs.
 */
export class TextReader {
  readonly #model: LanguageModel;
  #cache: KeyValueCache;
  /** The tokens in the cache. */
  #read: readonly number[] = [];

  constructor(model: LanguageModel) {
    this.#model = model;
    this.#cache = new KeyValueCache(model.config, { batch: 1, slots: 0 });
  }

  /** The logits after the last token, [V]. */
  async read({ tokens, room, limit }: TextToRead): Promise<Float32Array> {
    const model = this.#model;
    const from = this.#sharedWith(tokens);
    this.#read = this.#read.slice(0, from);
    this.#makeRoom(tokens.length + room, limit);
    const cache = this.#cache;
    const fresh = tokens.subarray(from);
    const length = promptLength(fresh.length, limit - from);
    const logits =
      from === 0
        ? await this.#readAll(fresh, length)
        : await readContinuation({ model, cache, tokens: fresh, from, length });
    this.#read = [...tokens];
    return logits;
  }

  async #readAll(tokens: Int32Array, length: number): Promise<Float32Array> {
    const [read] = await readPrompts({ model: this.#model, prompts: [tokens], batch: 1, length });
    if (read === undefined) throw new Error('a prompt was given and none was read');
    for (const { layer, keys, values } of read.layers)
      this.#cache.store(layer, { keys, values, places: [{ row: 0, slot: 0 }] });
    return read.logits;
  }

  /** At least doubled, because every number of slots is a graph to compile. */
  #makeRoom(tokens: number, limit: number): void {
    const { slots } = this.#cache;
    if (slots >= tokens) return;
    this.#cache = this.#cache.widened(slotCount(Math.max(tokens, 2 * slots), limit));
  }

  /** The logits after one more token, [V]. */
  async next(token: number): Promise<Float32Array> {
    const logits = await readTokens({
      model: this.#model,
      cache: this.#cache,
      tokens: Int32Array.of(token),
      positions: Int32Array.of(this.#read.length),
    });
    this.#read = [...this.#read, token];
    return logits;
  }

  /** How many tokens need not be read again: never the last, whose logits are wanted, and none whose keys depend on what follows. */
  #sharedWith(tokens: Int32Array): number {
    if (isLengthBound(this.#model.config)) return 0;
    const differs = tokens.findIndex((token, index) => token !== this.#read[index]);
    return Math.min(differs < 0 ? tokens.length : differs, tokens.length - 1);
  }
}
