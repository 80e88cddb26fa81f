import { createHash, randomUUID } from 'node:crypto';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { isObject, type Json, type JsonObject, UserError, withinTime } from '../../core/index.ts';
import { jsonFault } from '../../formats/index.ts';
import { withUnicodeWords } from './pre-tokenizer.ts';
import { startOfTextIn } from './start-of-text.ts';
import { type Encodable, noSpecialToken, type Tokenizer } from './tokenizer.ts';
import {
  byteOrderMark,
  specialTokensOf,
  type Vocabulary,
  vocabularyOf,
  withByteOrderMark,
  withRenamedSpecialTokens,
} from './vocabulary.ts';

interface TokenizerFiles {
  readonly path: string;
  /** The bytes of tokenizer.json. */
  readonly text: string;
  /** The content of tokenizer_config.json; empty if there is none. */
  readonly config: JsonObject;
  /** How long one text may take. */
  readonly milliseconds?: number;
}

/**
 * The tokenizer of a tokenizer.json. It gives the ids of Hugging Face's libraries, except that text never becomes a
 * special token. The end of text is `eos_token` of tokenizer_config.json, else a token named `<|endoftext|>` or `</s>`.
 */
export function openJsonTokenizer({
  path,
  text,
  config,
  milliseconds = timeLimit,
}: TokenizerFiles): Tokenizer {
  const json = parseTokenizerJson(path, text);
  const vocabulary = vocabularyOf(json);
  const specialTokens = specialTokensOf(json);
  const secret = randomUUID();
  const secretName = (id: number) => `<${secret}|${id}>`;
  const encoder = build(path, { json: withRenamedSpecialTokens(json, secretName), config });
  const decoder = build(path, { json: withByteOrderMark(json, vocabulary.size), config });
  const { readable } = byteOrderMark(vocabulary);
  const identity = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const written = (given: Encodable): string => {
    if (typeof given === 'string') return given;
    const texts = given.map(({ text, special }) => {
      if (!special) return text;
      const id = specialTokens.get(text);
      if (id === undefined) throw noSpecialToken(text, identity);
      return secretName(id);
    });
    return texts.join('');
  };
  return {
    vocabulary: identity,
    vocabularySize: vocabulary.size,
    endOfText: endOfTextOf({ path, config, vocabulary }),
    ...startOfTextIn({ json, config, vocabulary }),
    specialTokens,
    encode: (given) => encode({ path, encoder, vocabulary, milliseconds }, written(given)),
    decode: (tokens) => {
      const known = readable(Array.from(tokens)).filter((token) => decoder.id_to_token(token) !== undefined);
      if (known.length === 0) return '';
      return decoder.decode(known, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
    },
  };
}

function build(path: string, files: { json: JsonObject; config: JsonObject }): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(files.json, files.config);
  } catch (cause) {
    throw badTokenizer(path, cause instanceof Error ? cause.message : String(cause));
  }
}

/** In milliseconds, for one text: a tokenizer.json holds regular expressions, and some never end. */
const timeLimit = 10_000;

interface Encoder {
  readonly path: string;
  readonly encoder: HuggingFaceTokenizer;
  readonly vocabulary: Vocabulary;
  readonly milliseconds: number;
}

function encode({ path, encoder, vocabulary, milliseconds }: Encoder, text: string): Int32Array {
  const encoded = withinTime(milliseconds, () => encoder.encode(text, { add_special_tokens: false }));
  if (encoded === undefined)
    throw badTokenizer(path, `it takes more than ${milliseconds / 1000} s for one text`);
  const { ids, tokens } = encoded.value;
  return Int32Array.from(ids, (id: number | undefined, index) => {
    const known = id ?? vocabulary.unknown;
    if (known !== undefined) return known;
    throw new UserError({
      code: 'unknown-token',
      message: `${path} has neither a token for \`${tokens[index]}\` nor one for unknown words`,
      help: 'name a token for unknown words as `unk_token` in the tokenizer.json',
    });
  });
}

/** Fields that a file may leave out but the library requires. */
const absentParts: JsonObject = { added_tokens: [], normalizer: null, post_processor: null, decoder: null };

/** The library guesses one of these from the fields of any other type. */
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
  return withUnicodeWords({ ...absentParts, ...json });
}

function endOfTextOf(tokenizer: { path: string; config: JsonObject; vocabulary: Vocabulary }): number {
  const { path, config, vocabulary } = tokenizer;
  const named = isObject(config.eos_token) ? config.eos_token.content : config.eos_token;
  const candidates = typeof named === 'string' ? [named] : ['<|endoftext|>', '</s>'];
  const found = candidates.map(vocabulary.idOf).find((id) => id !== undefined);
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
