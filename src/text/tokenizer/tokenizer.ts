import { isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import type { TextPiece } from '../records.ts';

/** What can be encoded: a text, in which nothing is special, or pieces, some of them special tokens. */
export type Encodable = string | readonly TextPiece[];

/** Text to token ids and back. Text never becomes a special token, whatever it contains. */
export interface Tokenizer {
  /** Identity of the vocabulary: a gpt-tokenizer encoding's name, or the hash of a tokenizer.json. */
  readonly vocabulary: string;
  readonly vocabularySize: number;
  /** The id that ends a text: `<|endoftext|>` or the tokenizer's own end-of-sequence token. */
  readonly endOfText: number;
  /** The id that begins a text, if the tokenizer has one (`bos_token`). */
  readonly startOfText: number | undefined;
  /** Whether the model was trained with that token before a text. `encode` never adds it. */
  readonly addsStart: boolean;
  /** Name -> id of the tokens that no text can become. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Throws a UserError for a special piece that is not in `specialTokens`. */
  readonly encode: (text: Encodable) => Int32Array;
  readonly decode: (tokens: ArrayLike<number>) => string;
  /** The UTF-8 bytes of one token: part of a character, where a character is several tokens. Empty for an unknown id. */
  readonly bytesOf: (token: number) => Uint8Array;
}

/** The object in a JSON file of a tokenizer. Throws a UserError if there is none. */
export function parseTokenizerObject(path: string, text: string): JsonObject {
  try {
    const value: Json = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {}
  throw new UserError({ code: 'bad-tokenizer', message: `${path} is not a JSON object` });
}

/** Special tokens, and between them texts, joined so that tokens can span them. */
export function joinTexts(
  given: Encodable,
  specialTokens: ReadonlyMap<string, number>,
): readonly TextPiece[] {
  if (typeof given === 'string') return [{ text: given }];
  const stretches: TextPiece[] = [];
  for (const { text, special } of given) {
    const isSpecial = special === true || (special === 'perhaps' && specialTokens.has(text));
    const piece: TextPiece = isSpecial ? { text, special: true } : { text };
    const last = stretches.at(-1);
    const joins = last !== undefined && !last.special && !piece.special;
    if (joins) stretches[stretches.length - 1] = { text: last.text + piece.text };
    else stretches.push(piece);
  }
  return stretches;
}

/** How many leading tokens two texts share. */
export function commonPrefixLength(tokens: Int32Array, other: ArrayLike<number>): number {
  const differs = tokens.findIndex((token, index) => token !== other[index]);
  return differs === -1 ? tokens.length : differs;
}

/** The error for a special token in a text that this tokenizer lacks. */
export function noSpecialToken(token: string, vocabulary: string): UserError {
  return new UserError({
    code: 'no-special-token',
    message: `the text has the special token \`${token}\`, which the tokenizer (${vocabulary}) does not have`,
    help: 'tokenize with the tokenizer whose chat template the `format` stage used',
  });
}
