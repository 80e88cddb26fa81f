import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { readJsonFile } from '../../formats/index.ts';
import { addedToken, writeTokenizer } from './byte-pair-tokenizer.ts';
import { encodingTokenizerJson } from './encoding-tokenizer-json.ts';
import { endOfTextToken, isEncodingName } from './encodings.ts';
import { vocabularyOf } from './vocabulary.ts';

/** Tokens to add to a vocabulary. */
export interface NewTokens {
  /** Found in every text, before it is split into words. */
  readonly tokens: readonly string[];
  /** Written by templates only: no text becomes one. */
  readonly special: readonly string[];
}

export interface ExtendedVocabulary {
  /** New token -> its id. */
  readonly added: ReadonlyMap<string, number>;
  /** Those that the vocabulary had before, with a trained embedding. */
  readonly known: readonly string[];
  /** The ids of the vocabulary, the new ones included, are below. */
  readonly size: number;
}

/**
 * Adds tokens to the tokenizer of a folder, in every file that lists tokens. A token gets the next id, as in the tokenizers
 * library; one that the vocabulary has keeps its own. An encoding becomes a tokenizer.json.
 */
export async function extendTokenizer(folder: string, given: NewTokens): Promise<ExtendedVocabulary> {
  await writeOutEncoding(folder);
  const path = join(folder, 'tokenizer.json');
  const json = await objectIn(path);
  if (json === undefined) throw new Error(`${path} was checked before`);
  const listed: readonly Json[] = isList(json.added_tokens) ? json.added_tokens : [];
  const entries = listed.filter((entry): entry is JsonObject => isObject(entry));
  const before = vocabularyOf(json);
  const [added, known, changed]: [Map<string, number>, string[], Map<string, JsonObject>] = [
    new Map(),
    [],
    new Map(),
  ];
  let next = before.size;
  const wanted = [
    ...given.tokens.map((content) => ({ content, special: false })),
    ...given.special.map((content) => ({ content, special: true })),
  ];
  for (const { content, special } of wanted) {
    const id = before.anyIdOf(content) ?? next++;
    changed.set(content, addedToken({ id, content, special }));
    if (before.anyIdOf(content) === undefined) added.set(content, id);
    else known.push(content);
  }
  const kept = entries.filter(({ content }) => !changed.has(String(content)));
  const all = [...kept, ...changed.values()].sort((a, b) => Number(a.id) - Number(b.id));
  await rewrite(path, { ...json, added_tokens: all }, 0);
  await listElsewhere(folder, { changed: [...changed.values()], special: given.special });
  return { added, known, size: next };
}

/** What other files say of added tokens, for programs that read those. */
async function listElsewhere(
  folder: string,
  { changed, special }: { readonly changed: readonly JsonObject[]; readonly special: readonly string[] },
): Promise<void> {
  const path = join(folder, 'tokenizer_config.json');
  const config = (await objectIn(path)) ?? {};
  const decoder = config.added_tokens_decoder;
  await rewrite(path, {
    ...config,
    ...(isObject(decoder) && {
      added_tokens_decoder: {
        ...decoder,
        ...Object.fromEntries(changed.map(({ id, ...token }) => [String(id), token])),
      },
    }),
    ...withSpecial(config, special),
  });
  const map = join(folder, 'special_tokens_map.json');
  const named = await objectIn(map);
  if (named !== undefined) await rewrite(map, { ...named, ...withSpecial(named, special) });
  const list = join(folder, 'added_tokens.json');
  const ids = await objectIn(list);
  if (ids !== undefined)
    await rewrite(list, {
      ...ids,
      ...Object.fromEntries(changed.map(({ id = null, content }) => [String(content), id])),
    });
}

/** transformers 5 has another name for the list. */
function withSpecial(json: JsonObject, special: readonly string[]): JsonObject {
  const field = isList(json.extra_special_tokens) ? 'extra_special_tokens' : 'additional_special_tokens';
  const listed: readonly Json[] = isList(json[field]) ? json[field] : [];
  const names = listed.map((token) => (isObject(token) ? token.content : token));
  const missing = special.filter((token) => !names.includes(token));
  return missing.length === 0 ? {} : { [field]: [...listed, ...missing] };
}

/** An encoding by name has no place for further tokens. */
async function writeOutEncoding(folder: string): Promise<void> {
  const path = join(folder, 'encoding.json');
  const encoding = (await objectIn(path))?.encoding;
  if (encoding === undefined) return;
  if (typeof encoding !== 'string' || !isEncodingName(encoding))
    throw new UserError({ code: 'unknown-encoding', message: `${path} names no encoding that is known` });
  const named = { bos_token: endOfTextToken, eos_token: endOfTextToken, unk_token: endOfTextToken };
  await writeTokenizer(folder, {
    tokenizer: await encodingTokenizerJson(encoding),
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      add_prefix_space: false,
      ...named,
    },
  });
  await rm(path);
}

async function objectIn(path: string): Promise<JsonObject | undefined> {
  const json = await readJsonFile(path);
  return isObject(json) ? json : undefined;
}

/** A copy from the store is read-only, so the file is replaced. */
async function rewrite(path: string, json: JsonObject, space = 2): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, `${JSON.stringify(json, undefined, space)}\n`);
}
