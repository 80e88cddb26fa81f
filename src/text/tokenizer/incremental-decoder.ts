import type { Tokenizer } from './tokenizer.ts';

/** What a decoder writes for bytes that are no character, or not yet. */
const replacement = '\uFFFD';

/**
 * The text of tokens that come one by one. Each token costs the same, however long the text is: a token's text is what
 * it adds to that of the tokens just before it, since a decoder may treat the first token differently.
 */
export class IncrementalDecoder {
  readonly #tokenizer: Pick<Tokenizer, 'decode'>;
  #text = '';
  /** The tokens of the last addition to the text, and those whose bytes may still become a character. */
  #context: readonly number[] = [];
  #pending: readonly number[] = [];

  constructor(tokenizer: Pick<Tokenizer, 'decode'>) {
    this.#tokenizer = tokenizer;
  }

  /** The text so far, without what may still become a character. */
  get text(): string {
    return this.#text;
  }

  add(token: number): void {
    this.#pending = [...this.#pending, token];
    const added = this.#addition();
    if (added.endsWith(replacement)) return;
    this.#text += added;
    // A token may have no text, and a decoder may treat the first that has some differently.
    this.#context = added === '' ? [...this.#context, ...this.#pending].slice(-8) : this.#pending;
    this.#pending = [];
  }

  /** The whole text, with what is no character in the end. */
  end(): string {
    return this.#text + this.#addition();
  }

  #addition(): string {
    const { decode } = this.#tokenizer;
    if (this.#pending.length === 0) return '';
    const before = decode(this.#context);
    return decode([...this.#context, ...this.#pending]).slice(before.length);
  }
}
