import { createHash } from 'node:crypto';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { isObject, type Json, type JsonObject, UserError, withinTime } from '../../core/index.ts';
import { jsonFault } from '../../formats/index.ts';
import { type AddedToken, addedTokenSplitter, trimAround } from './added-tokens.ts';
import { normalizerOf } from './normalizer.ts';
import { startOfTextIn } from './start-of-text.ts';
import { tokenBytes } from './token-bytes.ts';
import { type Encodable, joinTexts, noSpecialToken, type Tokenizer } from './tokenizer.ts';
import {
  byteOrderMark,
  modelOf,
  type Vocabulary,
  vocabularyEntries,
  vocabularyOf,
  withByteOrderMark,
} from './vocabulary.ts';
import { wordModelOf } from './word-models.ts';
import { wordSplitterOf } from './word-splitter.ts';

interface TokenizerFiles {
  readonly path: string;
  /** The bytes of tokenizer.json. */
  readonly text: string;
  /** The content of tokenizer_config.json; empty if there is none. */
  readonly config: JsonObject;
  /** How long one short text may take; a long one may take longer. */
  readonly milliseconds?: number;
}

/** In milliseconds, for one text: a tokenizer.json holds regular expressions, and some never end. */
const timeLimit = 10_000;
/** How many characters of a text lengthen the time by a millisecond. */
const charactersPerMillisecond = 100;

/**
 * The tokenizer of a tokenizer.json. It gives the ids of the tokenizers library, except that text never becomes a
 * special token. The JavaScript library, which deviates from that one in the splitting of texts, only decodes. The end
 * of text is `eos_token` of tokenizer_config.json, else a token named `<|endoftext|>` or `</s>`.
 */
export function openJsonTokenizer({
  path,
  text,
  config,
  milliseconds = timeLimit,
}: TokenizerFiles): Tokenizer {
  const json = parseTokenizerJson(path, text);
  const vocabulary = vocabularyOf(json);
  const identity = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const within = <Value>(length: number, work: () => Value): Value => {
    const limit = milliseconds + Math.floor(length / charactersPerMillisecond);
    const done = withinTime(limit, work);
    if (done !== undefined) return done.value;
    throw badTokenizer(path, `it takes more than ${milliseconds / 1000} s for one text`);
  };
  const { encode, decode } = within(text.length, () =>
    readable(path, () => ({
      encode: pieceEncoder(json, { vocabulary, path, identity }),
      decode: decoderOf(json, { vocabulary, config }),
    })),
  );
  return {
    vocabulary: identity,
    vocabularySize: vocabulary.size,
    endOfText: endOfTextOf({ path, config, vocabulary }),
    ...startOfTextIn({ json, config, vocabulary }),
    specialTokens: vocabulary.specialTokens,
    encode: (given) => within(lengthOf(given), () => encode(given)),
    decode: hasPattern(json.decoder ?? null)
      ? (tokens) => within(tokens.length, () => decode(tokens))
      : decode,
    bytesOf: tokenBytes(json, vocabulary),
  };
}

const lengthOf = (given: Encodable): number =>
  typeof given === 'string' ? given.length : given.reduce((sum, { text }) => sum + text.length, 0);

const hasPattern = (decoder: Json): boolean => JSON.stringify(decoder).includes('"Regex"');

/** What `build` makes of the file; an error in its content is the user's to fix. */
function readable<Value>(path: string, build: () => Value): Value {
  try {
    return build();
  } catch (cause) {
    throw badTokenizer(path, cause instanceof Error ? cause.message : String(cause));
  }
}

interface Encoder {
  readonly vocabulary: Vocabulary;
  readonly path: string;
  /** For messages. */
  readonly identity: string;
}

/** Splits off added tokens, normalizes the texts between them, splits those into words and encodes the words. */
function pieceEncoder(
  json: JsonObject,
  { vocabulary, path, identity }: Encoder,
): (given: Encodable) => Int32Array {
  const { added } = vocabulary;
  const normalize = normalizerOf(json.normalizer ?? null);
  const splitGiven = addedTokenSplitter(added.filter(({ normalized }) => !normalized));
  const splitNormalized = addedTokenSplitter(
    added.flatMap((token) => (token.normalized ? [{ ...token, content: normalize(token.content) }] : [])),
  );
  const splitWords = wordSplitterOf(json.pre_tokenizer ?? null);
  const encodeWord = wordModelOf(modelOf(json), vocabulary);
  const special = new Map(added.flatMap((token) => (token.special ? [[token.content, token]] : [])));
  const specialNamed = (name: string): AddedToken => {
    const token = special.get(name);
    if (token === undefined) throw noSpecialToken(name, identity);
    return token;
  };
  return (given) => {
    const ids: number[] = [];
    const addWord = (word: string): void => {
      for (const id of encodeWord(word)) ids.push(id ?? unknownWord(path, word));
    };
    const addText = (text: string, start: number): void => {
      for (const part of splitGiven(text)) {
        if ('id' in part) ids.push(part.id);
        else
          for (const each of splitNormalized(normalize(part.text))) {
            if ('id' in each) ids.push(each.id);
            else {
              const isBeginning = start + part.start === 0 && each.start === 0;
              for (const word of splitWords({ words: [each.text], isBeginning })) addWord(word);
            }
          }
      }
    };
    const pieces = joinTexts(given, vocabulary.specialTokens).map(({ text, special }) =>
      special ? { text, token: specialNamed(text) } : { text, token: undefined },
    );
    let start = 0;
    for (const [index, { text, token }] of pieces.entries()) {
      const around = { before: pieces[index - 1]?.token, after: pieces[index + 1]?.token };
      const { text: kept, cut } = trimAround(text, around);
      if (token === undefined) addText(kept, start + cut);
      else ids.push(token.id);
      start += text.length;
    }
    return Int32Array.from(ids);
  };
}

function unknownWord(path: string, word: string): never {
  throw new UserError({
    code: 'unknown-token',
    message: `${path} has neither a token for \`${word}\` nor one for unknown words`,
    help: 'name a token for unknown words as `unk_token` in the tokenizer.json',
  });
}

/** The library's decoder, for a model that has only the names of the tokens. */
function decoderOf(
  json: JsonObject,
  { vocabulary, config }: { readonly vocabulary: Vocabulary; readonly config: JsonObject },
): (tokens: ArrayLike<number>) => string {
  const { unk_token, end_of_word_suffix } = modelOf(json);
  const parts = {
    added_tokens: json.added_tokens ?? [],
    ...{ normalizer: null, pre_tokenizer: null, post_processor: null },
    decoder: json.decoder ?? null,
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(vocabularyEntries(modelOf(json))),
      merges: [],
      ...{ unk_token: unk_token ?? null, end_of_word_suffix: end_of_word_suffix ?? null },
    },
  };
  const decoder = new HuggingFaceTokenizer(withByteOrderMark(parts, vocabulary.size), config);
  const { readable } = byteOrderMark(vocabulary);
  return (tokens) => {
    const known = readable(Array.from(tokens)).filter((token) => decoder.id_to_token(token) !== undefined);
    if (known.length === 0) return '';
    return decoder.decode(known, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  };
}

const models = ['BPE', 'Unigram', 'WordLevel'];

function parseTokenizerJson(path: string, text: string): JsonObject {
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const { line, column, reason } = jsonFault(cause, text);
    throw badTokenizer(`${path}:${line}:${column}`, `it is not JSON: ${reason}`);
  }
  if (!isObject(json) || !isObject(json.model))
    throw badTokenizer(path, 'it has no `model`, as every tokenizer.json of Hugging Face does');
  const { type } = json.model;
  if (type === 'WordPiece')
    throw badTokenizer(
      path,
      'it has a WordPiece vocabulary, as BERT does, which no model that writes text uses',
    );
  if (typeof type === 'string' && !models.includes(type))
    throw badTokenizer(path, `its model has the type \`${type}\`; ${models.join(', ')} are supported`);
  return json;
}

function endOfTextOf(tokenizer: { path: string; config: JsonObject; vocabulary: Vocabulary }): number {
  const { path, config, vocabulary } = tokenizer;
  const named = isObject(config.eos_token) ? config.eos_token.content : config.eos_token;
  const candidates = typeof named === 'string' ? [named] : ['<|endoftext|>', '</s>'];
  const found = candidates.map(vocabulary.anyIdOf).find((id) => id !== undefined);
  if (found !== undefined) return found;
  throw new UserError({
    code: 'no-end-of-text',
    message: `${path} has no token \`${candidates.join('` or `')}\` to end a text`,
    help: 'name the token as `eos_token` in a tokenizer_config.json beside it, and give the path of their folder',
  });
}

function badTokenizer(path: string, why: string): UserError {
  return new UserError({
    code: 'bad-tokenizer',
    message: `${path} cannot be used as a tokenizer: ${why}`,
  });
}
