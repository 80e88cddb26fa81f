/** Text to token ids and back. Text never becomes a special token by what it contains. */
export interface Tokenizer {
  /** Identity of the vocabulary: a gpt-tokenizer encoding's name, or the hash of a tokenizer.json. */
  readonly vocabulary: string;
  readonly vocabularySize: number;
  /** The id that ends a text: `<|endoftext|>` or the tokenizer's own end-of-sequence token. */
  readonly endOfText: number;
  readonly encode: (text: string) => Int32Array;
  readonly decode: (tokens: ArrayLike<number>) => string;
}
