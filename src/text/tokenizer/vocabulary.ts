import { isObject, type Json, type JsonObject } from '../../core/index.ts';
import { type AddedToken, addedTokensOf } from './added-tokens.ts';

/** The tokens of a tokenizer.json: those of its model and the added ones. */
export interface Vocabulary extends ModelTokens {
  /** One more than the highest id. */
  readonly size: number;
  /** The id of any token. */
  readonly anyIdOf: (token: string) => number | undefined;
  readonly added: readonly AddedToken[];
  /** Name -> id. */
  readonly specialTokens: ReadonlyMap<string, number>;
}

export interface ModelTokens {
  /** The tokens that a text can become: all but the special ones. */
  readonly idOf: (token: string) => number | undefined;
  /** The id for text that has no token. */
  readonly unknown: number | undefined;
}

/** Turns a word into token ids. An id is undefined for text that has no token, nor one for unknown text. */
export type WordModel = (word: string) => readonly (number | undefined)[];

export function vocabularyOf(json: JsonObject): Vocabulary {
  const model = modelOf(json);
  const own = new Map(vocabularyEntries(model));
  const added = addedTokensOf(json);
  const ids = new Map([...own, ...added.map(({ content, id }) => [content, id] as const)]);
  const specialTokens = new Map(
    added.flatMap(({ content, id, special }) => (special ? [[content, id] as const] : [])),
  );
  const { unk_token: unknownToken, unk_id: unknownId } = model;
  const named = typeof unknownToken === 'string' ? ids.get(unknownToken) : undefined;
  return {
    size: [...ids.values()].reduce((highest, id) => Math.max(highest, id), -1) + 1,
    unknown: typeof unknownId === 'number' ? unknownId : named,
    idOf: (token) => (specialTokens.has(token) ? undefined : own.get(token)),
    anyIdOf: (token) => ids.get(token),
    added,
    specialTokens,
  };
}

export const modelOf = (json: JsonObject): JsonObject => (isObject(json.model) ? json.model : {});

/** The tokens of a model with their ids. Unigram's are a list of [token, score]. */
export function vocabularyEntries({ vocab }: JsonObject): readonly (readonly [string, number])[] {
  if (Array.isArray(vocab))
    return vocab.flatMap((entry: Json, id) =>
      Array.isArray(entry) ? [[String(entry[0]), id] as const] : [],
    );
  if (vocab === undefined || !isObject(vocab)) return [];
  return Object.entries(vocab).flatMap(([token, id]) =>
    typeof id === 'number' ? [[token, id] as const] : [],
  );
}

/** The names of the tokens for a text's UTF-8 bytes, where a vocabulary has such. */
export const byteNames = (text: string): readonly string[] =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);

const mark = '\uFEFF';
const bytesOfMark = ['<0xEF>', '<0xBB>', '<0xBF>'];

/**
 * Single bytes of a vocabulary are decoded as UTF-8, and the JavaScript library drops a byte order mark. So the decoder
 * gets one more token, with that id, to decode instead of the mark's three bytes.
 */
export function withByteOrderMark(json: JsonObject, id: number): JsonObject {
  const added = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  return { ...json, added_tokens: [...added, { id, content: mark, special: false, normalized: false }] };
}

/** `readable` replaces the three bytes with that token, if the vocabulary has such bytes. */
export function byteOrderMark({ anyIdOf, size }: Vocabulary): {
  readable: (ids: readonly number[]) => number[];
} {
  const [first, second, third] = bytesOfMark.map(anyIdOf);
  if (first === undefined || second === undefined || third === undefined)
    return { readable: (ids) => [...ids] };
  const isMark = (ids: readonly number[], at: number) =>
    ids[at] === first && ids[at + 1] === second && ids[at + 2] === third;
  return {
    readable: (ids) =>
      ids.flatMap((id, at) => {
        if (isMark(ids, at)) return [size];
        return isMark(ids, at - 1) || isMark(ids, at - 2) ? [] : [id];
      }),
  };
}
