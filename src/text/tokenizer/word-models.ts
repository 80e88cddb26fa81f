import { isList, type Json, type JsonObject } from '../../core/index.ts';
import { mergePairs } from './byte-pair-merge.ts';
import { unigramModel } from './unigram.ts';
import { byteNames, type ModelTokens, type WordModel } from './vocabulary.ts';

/** The `model` of a tokenizer.json. */
export function wordModelOf(json: JsonObject, tokens: ModelTokens): WordModel {
  if (isList(json.vocab ?? null)) return unigramModel(json, tokens);
  if (json.merges === undefined) return (word) => [tokens.idOf(word) ?? tokens.unknown];
  return cached(bytePairModel(json, tokens));
}

const longestCached = 64;
const largestCache = 50_000;

function cached(model: WordModel): WordModel {
  const cache = new Map<string, ReturnType<WordModel>>();
  return (word) => {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const ids = model(word);
    if (word.length > longestCached) return ids;
    if (cache.size >= largestCache) cache.clear();
    cache.set(word, ids);
    return ids;
  };
}

/** Ids are below this, so that a pair is one number. */
const mostTokens = 2 ** 24;
/** Stands for text without a token among the ids that are merged. */
const noToken = mostTokens - 1;

/** Byte-pair encoding: a word's characters, merged in the order of `merges`. */
function bytePairModel(json: JsonObject, { idOf, unknown }: ModelTokens): WordModel {
  const prefix = textOf(json.continuing_subword_prefix);
  const suffix = textOf(json.end_of_word_suffix);
  const ranks = new Map<number, number>();
  const merged: number[] = [];
  for (const [left, right] of mergesOf(json.merges ?? null)) {
    const [first, second, both] = [left, right, left + right.slice(prefix.length)].map(idOf);
    if (first === undefined || second === undefined || both === undefined) continue;
    const pair = first * mostTokens + second;
    if (!ranks.has(pair)) ranks.set(pair, merged.length);
    merged.push(both);
  }
  const pairs = {
    rankOf: (left: number, right: number) => ranks.get(left * mostTokens + right),
    joined: (rank: number) => merged[rank] ?? noToken,
  };
  const idsOf = (characters: readonly string[]): readonly number[] => {
    const ids: number[] = [];
    /** Waits for a character that has a token. As in the library, bytes do not end the wait. */
    let isUnknownDue = false;
    const addUnknown = (): void => {
      if (isUnknownDue) ids.push(unknown ?? noToken);
      isUnknownDue = false;
    };
    for (const [index, character] of characters.entries()) {
      const symbol = (index > 0 ? prefix : '') + character + (index === characters.length - 1 ? suffix : '');
      const id = idOf(symbol);
      const bytes = id === undefined && json.byte_fallback === true ? byteNames(symbol).map(idOf) : [];
      if (id !== undefined) {
        addUnknown();
        ids.push(id);
      } else if (bytes.length > 0 && bytes.every((byte) => byte !== undefined)) ids.push(...bytes);
      else {
        if (json.fuse_unk !== true) addUnknown();
        isUnknownDue = true;
      }
    }
    addUnknown();
    return ids;
  };
  return (word) => {
    const whole = json.ignore_merges === true ? idOf(word) : undefined;
    if (whole !== undefined) return [whole];
    return mergePairs(idsOf(Array.from(word)), pairs).map((id) => (id === noToken ? undefined : id));
  };
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** Pairs, written as lists or as text with a space between. */
function mergesOf(merges: Json): readonly (readonly [string, string])[] {
  return (isList(merges) ? merges : []).map((merge) => {
    const [left, right] = typeof merge === 'string' ? merge.split(' ', 2) : isList(merge) ? merge : [];
    if (typeof left === 'string' && typeof right === 'string') return [left, right];
    throw new Error(`its merge ${JSON.stringify(merge)} is not a pair`);
  });
}
