import type { LanguageModel } from '../language-model.ts';
import { KeyValueCache } from './key-value-cache.ts';
import { isLengthBound } from './plan-rows.ts';
import { promptLength, slotCount } from './prompt-length.ts';
import { readContinuation } from './read-continuation.ts';
import { readPrompts } from './read-prompts.ts';
import { readTokens } from './read-tokens.ts';

export interface TextToRead {
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
