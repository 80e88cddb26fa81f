import { isList, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { addedToken, bytePairTokenizer, type TokenizerFiles, writeTokenizer } from './byte-pair-tokenizer.ts';
import { addsStart, ggufPreTokenizer, ignoresMerges, preTokenizerNames } from './pre-tokenizer.ts';
import { sentencePieceTokenizer } from './sentence-piece-tokenizer.ts';

/** A GGUF file's metadata; the keys `tokenizer.*` are read. */
interface GgufTokenizerSource {
  /** For messages. */
  readonly path: string;
  readonly metadata: ReadonlyMap<string, Json>;
}

/** Token types of llama.cpp. */
const normalType = 1;
const unknownType = 2;
const controlType = 3;
const userDefinedType = 4;

/** Writes the tokenizer of a GGUF file into a folder, as tokenizer.json and tokenizer_config.json. */
export const writeGgufTokenizer = (folder: string, source: GgufTokenizerSource): Promise<void> =>
  writeTokenizer(folder, ggufTokenizer(source));

/** The tokenizer of a GGUF file in Hugging Face's format. Throws a UserError if it is not supported. */
export function ggufTokenizer(source: GgufTokenizerSource): TokenizerFiles {
  const { metadata } = source;
  const kind = metadata.get('tokenizer.ggml.model');
  if (kind === 'llama') return sentencePieces(source);
  if (kind !== 'gpt2')
    throw unsupported(
      source,
      'tokenizer.ggml.model',
      'only gpt2 (byte-level BPE) and llama (SentencePiece) are supported',
    );
  const rule = metadata.get('tokenizer.ggml.pre') ?? 'default';
  const preTokenizer = typeof rule === 'string' ? ggufPreTokenizer(rule) : undefined;
  if (typeof rule !== 'string' || preTokenizer === undefined)
    throw unsupported(source, 'tokenizer.ggml.pre', `supported are ${preTokenizerNames.join(', ')}`);
  const tokens = strings(source, 'tokenizer.ggml.tokens');
  const pairs = {
    added_tokens: addedTokens(source, tokens),
    pre_tokenizer: preTokenizer,
    post_processor: beginning(source, { tokens, byDefault: addsStart(rule) }),
    ignore_merges: ignoresMerges(rule),
    vocab: vocabularyOf(source, tokens),
    merges: mergesOf(source),
  };
  return bytePairTokenizer(pairs, tokenizerConfig(source, tokens));
}

/** llama.cpp's `llama`. It adds the token for the beginning, and a space before a text, unless the file says otherwise. */
function sentencePieces(source: GgufTokenizerSource): TokenizerFiles {
  const { metadata } = source;
  const tokens = strings(source, 'tokenizer.ggml.tokens');
  vocabularyOf(source, tokens);
  const [scores, types] = (['scores', 'token_type'] as const).map((name) =>
    numbers(source, `tokenizer.ggml.${name}`, tokens.length),
  ) as [readonly number[], readonly number[]]; // of two names
  const pieces = {
    tokens,
    scores,
    isMerged: (id: number) => types[id] === normalType,
    added_tokens: addedTokens(source, tokens),
    post_processor: beginning(source, { tokens, byDefault: true }),
    spacePrefix: metadata.get('tokenizer.ggml.add_space_prefix') !== false,
    unknown: tokenNamed(source, tokens, 'unknown'),
  };
  return sentencePieceTokenizer(pieces, tokenizerConfig(source, tokens));
}

function vocabularyOf(source: GgufTokenizerSource, tokens: readonly string[]): JsonObject {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  if (ids.size === tokens.length) return Object.fromEntries(ids);
  const twice = tokens.find((token, id) => ids.get(token) !== id);
  throw badValue(source, 'tokenizer.ggml.tokens', `has the token ${JSON.stringify(twice)} twice`);
}

/** Special tokens, and those that are found in a text before it is split. */
function addedTokens(source: GgufTokenizerSource, tokens: readonly string[]): readonly JsonObject[] {
  const key = 'tokenizer.ggml.token_type';
  const types = source.metadata.get(key) ?? [];
  if (!isList(types) || (types.length !== 0 && types.length !== tokens.length))
    throw badValue(source, key, `is not a list of ${tokens.length} types, one per token`);
  return tokens.flatMap((content, id) => {
    const type = types[id];
    const special = type === controlType || type === unknownType;
    if (!special && type !== userDefinedType) return [];
    return [addedToken({ id, content, special })];
  });
}

function mergesOf(source: GgufTokenizerSource): readonly (readonly string[])[] {
  return strings(source, 'tokenizer.ggml.merges').map((merge) => {
    // As in llama.cpp, the first part is never empty.
    const space = merge.indexOf(' ', 1);
    if (space !== -1) return [merge.slice(0, space), merge.slice(space + 1)];
    throw badValue(source, 'tokenizer.ggml.merges', `has ${JSON.stringify(merge)}, which is not a pair`);
  });
}

/** Puts the token for the beginning before a text, if the file asks for it or says nothing where that is the default. */
function beginning(
  source: GgufTokenizerSource,
  { tokens, byDefault }: { readonly tokens: readonly string[]; readonly byDefault: boolean },
): JsonObject | null {
  const token = tokenNamed(source, tokens, 'bos');
  const adds = source.metadata.get('tokenizer.ggml.add_bos_token') ?? byDefault;
  if (adds !== true || token === undefined) return null;
  const special = { SpecialToken: { id: token, type_id: 0 } };
  const [first, second] = [0, 1].map((type_id) => ({ Sequence: { id: type_id ? 'B' : 'A', type_id } }));
  return {
    type: 'TemplateProcessing',
    single: [special, first ?? null],
    pair: [special, first ?? null, second ?? null],
    special_tokens: { [token]: { id: token, ids: [tokens.indexOf(token)], tokens: [token] } },
  };
}

function tokenizerConfig(source: GgufTokenizerSource, tokens: readonly string[]): JsonObject {
  const named = (['bos', 'eos', 'unknown', 'padding'] as const).flatMap((name) => {
    const token = tokenNamed(source, tokens, name);
    return token === undefined ? [] : [[fieldOf[name], token] as const];
  });
  const template = source.metadata.get('tokenizer.chat_template');
  return {
    ...Object.fromEntries(named),
    ...(typeof template === 'string' && { chat_template: template }),
  };
}

const fieldOf = { bos: 'bos_token', eos: 'eos_token', unknown: 'unk_token', padding: 'pad_token' } as const;

function tokenNamed(
  source: GgufTokenizerSource,
  tokens: readonly string[],
  name: keyof typeof fieldOf,
): string | undefined {
  const key = `tokenizer.ggml.${name}_token_id`;
  const id = source.metadata.get(key);
  if (id === undefined) return undefined;
  const token = typeof id === 'number' ? tokens[id] : undefined;
  if (token !== undefined) return token;
  throw badValue(source, key, `is ${JSON.stringify(id)}, which is not one of its ${tokens.length} tokens`);
}

function strings(source: GgufTokenizerSource, key: string): readonly string[] {
  const value = source.metadata.get(key) ?? null;
  if (isList(value) && value.every((item) => typeof item === 'string')) return value;
  throw badValue(source, key, 'is not a list of strings');
}

function numbers(source: GgufTokenizerSource, key: string, length: number): readonly number[] {
  const value = source.metadata.get(key) ?? null;
  if (isList(value) && value.length === length && value.every((item) => typeof item === 'number'))
    return value;
  throw badValue(source, key, `is not a list of ${length} numbers, one per token`);
}

const badValue = ({ path }: GgufTokenizerSource, key: string, what: string): UserError =>
  new UserError({ code: 'bad-gguf', message: `${path}: \`${key}\` ${what}` });

function unsupported({ path, metadata }: GgufTokenizerSource, key: string, known: string): UserError {
  const value = JSON.stringify(metadata.get(key) ?? null);
  return new UserError({
    code: 'unsupported-tokenizer',
    message: `${path} has ${value} as \`${key}\`: ${known}`,
  });
}
