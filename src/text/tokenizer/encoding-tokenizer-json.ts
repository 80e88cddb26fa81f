import type { JsonObject } from '../../core/index.ts';
import { mergePairs } from './byte-pair-merge.ts';
import { addedToken } from './byte-pair-tokenizer.ts';
import { type EncodingName, readEncoding } from './encodings.ts';
import { byteLevel, splitsThenBytes } from './pre-tokenizer.ts';

/** The tokenizer.json of one of OpenAI's encodings, for programs that do not know them; r50k_base is GPT-2's. */
export async function encodingTokenizerJson(name: EncodingName): Promise<JsonObject> {
  const { tokens, specialTokens, words } = await readEncoding(name);
  const isGpt2 = name === 'r50k_base';
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...specialTokens].map(([content, id]) => addedToken({ id, content, special: true })),
    normalizer: null,
    pre_tokenizer: isGpt2 ? byteLevel(true) : splitsThenBytes([rustPattern(words)]),
    post_processor: { ...byteLevel(true), trim_offsets: false },
    decoder: byteLevel(true),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: !isGpt2, // like tiktoken, which never splits a piece that is a token
      vocab: Object.fromEntries([
        ...tokens.flatMap((bytes, id) => (bytes === undefined ? [] : [[inAlphabet(bytes), id] as const])),
        ...specialTokens,
      ]),
      merges: mergesOf(tokens),
    },
  };
}

const inAlphabet = (bytes: string): string =>
  Array.from(bytes, (byte) => byteAlphabet[byte.charCodeAt(0)] ?? '').join('');

/** In the Rust library `$` is the end of a line, in JavaScript that of the text. */
const rustPattern = (source: string): string => source.replaceAll('$', '(?![\\s\\S])');

/** The character for each byte in byte-level BPE: itself if it is visible, else one from 256 on (GPT-2's encoder.py). */
export const byteAlphabet: readonly string[] = makeAlphabet();

function makeAlphabet(): string[] {
  let next = 256;
  const isVisible = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++));
}

/**
 * The merges that produce a vocabulary of byte pairs: a token's last merge joins the two parts that earlier merges make
 * of its bytes.
 */
function mergesOf(tokens: readonly (string | undefined)[]): readonly string[] {
  const idOf = new Map(tokens.flatMap((token, id) => (token === undefined ? [] : [[token, id] as const])));
  return tokens.flatMap((token, id) => {
    if (token === undefined || token.length < 2) return [];
    const bytes = Array.from(token, (byte) => idOf.get(byte) ?? 0);
    const rankOf = (left: number, right: number) => {
      const rank = idOf.get(`${tokens[left]}${tokens[right]}`);
      return rank !== undefined && rank < id ? rank : undefined;
    };
    const parts = mergePairs(bytes, { rankOf, joined: (rank) => rank });
    return parts.length === 2 ? [parts.map((part) => inAlphabet(tokens[part] ?? '')).join(' ')] : [];
  });
}
