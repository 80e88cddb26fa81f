import { isObject, type Json, type JsonObject } from '../../core/index.ts';

export interface Vocabulary {
  /** One more than the highest id. */
  readonly size: number;
  /** The id for words that are not in the vocabulary. */
  readonly unknown: number | undefined;
  readonly idOf: (token: string) => number | undefined;
}

/** The tokens of a tokenizer.json: those of its model and the added ones. */
export function vocabularyOf(json: JsonObject): Vocabulary {
  const ids = new Map([
    ...modelTokens(json),
    ...addedTokens(json).map(({ content, id }) => [content, id] as const),
  ]);
  const unknownToken = modelOf(json).unk_token;
  return {
    size: [...ids.values()].reduce((highest, id) => Math.max(highest, id), -1) + 1,
    unknown: typeof unknownToken === 'string' ? ids.get(unknownToken) : undefined,
    idOf: (token) => ids.get(token),
  };
}

/** Name -> id of the special tokens. */
export const specialTokensOf = (json: JsonObject): ReadonlyMap<string, number> =>
  new Map(addedTokens(json).flatMap(({ content, id, special }) => (special ? [[content, id] as const] : [])));

/**
 * The same tokenizer.json with other names for its special tokens, so that no text becomes one by accident. Their other
 * properties stay, such as whether they absorb the white space around them.
 */
export function withRenamedSpecialTokens(json: JsonObject, rename: (id: number) => string): JsonObject {
  const special = specialTokensOf(json);
  const model = modelOf(json);
  const isKept = (token: string) => !special.has(token) || token === model.unk_token;
  // In a list (Unigram's) a token's position is its id, so nothing can be removed.
  const vocab = isObject(model.vocab)
    ? Object.fromEntries(Object.entries(model.vocab).filter(([token]) => isKept(token)))
    : (model.vocab ?? {});
  const added_tokens = addedTokens(json).map(({ content, id, json: token }) =>
    special.has(content) ? { ...token, content: rename(id), normalized: false } : token,
  );
  return { ...json, added_tokens, model: { ...model, vocab } };
}

const modelOf = (json: JsonObject): JsonObject => (isObject(json.model) ? json.model : {});

function modelTokens(json: JsonObject): readonly (readonly [string, number])[] {
  const { vocab } = modelOf(json);
  if (Array.isArray(vocab))
    return vocab.flatMap((entry: Json, id) => (Array.isArray(entry) ? [[String(entry[0]), id]] : []));
  if (!isObject(vocab)) return [];
  return Object.entries(vocab).flatMap(([token, id]) => (typeof id === 'number' ? [[token, id]] : []));
}

interface AddedToken {
  readonly content: string;
  readonly id: number;
  readonly special: boolean;
  readonly json: JsonObject;
}

function addedTokens(json: JsonObject): readonly AddedToken[] {
  if (!Array.isArray(json.added_tokens)) return [];
  return json.added_tokens.flatMap((token: Json) => {
    if (!isObject(token) || typeof token.content !== 'string' || typeof token.id !== 'number') return [];
    return [{ content: token.content, id: token.id, special: token.special === true, json: token }];
  });
}

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
export function byteOrderMark({ idOf, size }: Vocabulary): {
  readable: (ids: readonly number[]) => number[];
} {
  const [first, second, third] = bytesOfMark.map(idOf);
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
