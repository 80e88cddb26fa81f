import type { JsonObject } from '../../core/index.ts';
import { addedToken } from './byte-pair-tokenizer.ts';
import type { EncodingName } from './encoding-tokenizer.ts';
import { byteLevel, splitsThenBytes } from './pre-tokenizer.ts';

/** What gpt-tokenizer knows of an encoding besides its ranks. */
interface EncodingParameters {
  readonly tokenSplitRegex: RegExp;
  readonly specialTokensEncoder: ReadonlyMap<string, number>;
}

type Ranks = readonly (string | readonly number[])[];

interface EncodingSource {
  readonly ranks: () => Promise<{ readonly default: Ranks }>;
  readonly parameters: () => Promise<(ranks: never) => EncodingParameters>;
}

const p50k = () => import('gpt-tokenizer/bpeRanks/p50k_base');
const o200k = () => import('gpt-tokenizer/bpeRanks/o200k_base');

const sources: Readonly<Record<EncodingName, EncodingSource>> = {
  r50k_base: {
    ranks: () => import('gpt-tokenizer/bpeRanks/r50k_base'),
    parameters: async () => (await import('gpt-tokenizer/encodingParams/r50k_base')).R50KBase,
  },
  p50k_base: {
    ranks: p50k,
    parameters: async () => (await import('gpt-tokenizer/encodingParams/p50k_base')).P50KBase,
  },
  p50k_edit: {
    ranks: p50k,
    parameters: async () => (await import('gpt-tokenizer/encodingParams/p50k_edit')).P50KEdit,
  },
  cl100k_base: {
    ranks: () => import('gpt-tokenizer/bpeRanks/cl100k_base'),
    parameters: async () => (await import('gpt-tokenizer/encodingParams/cl100k_base')).Cl100KBase,
  },
  o200k_base: {
    ranks: o200k,
    parameters: async () => (await import('gpt-tokenizer/encodingParams/o200k_base')).O200KBase,
  },
  o200k_harmony: {
    ranks: o200k,
    parameters: async () => (await import('gpt-tokenizer/encodingParams/o200k_harmony')).O200KHarmony,
  },
};

/** The tokenizer.json of one of OpenAI's encodings, for programs that do not know them; r50k_base is GPT-2's. */
export async function encodingTokenizerJson(name: EncodingName): Promise<JsonObject> {
  const { ranks, parameters } = sources[name];
  const [{ default: table }, parametersOf] = [await ranks(), await parameters()];
  const { tokenSplitRegex, specialTokensEncoder } = parametersOf(table as never); // it only passes the table on
  const tokens = [...table.entries()].flatMap(([id, bytes]) =>
    bytes === undefined ? [] : [{ id, token: inAlphabet(bytes) }],
  );
  const isGpt2 = name === 'r50k_base';
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...specialTokensEncoder].map(([content, id]) =>
      addedToken({ id, content, special: true }),
    ),
    normalizer: null,
    pre_tokenizer: isGpt2 ? byteLevel(true) : splitsThenBytes([rustPattern(tokenSplitRegex)]),
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
        ...tokens.map(({ id, token }) => [token, id] as const),
        ...specialTokensEncoder,
      ]),
      merges: mergesOfRanks(tokens.map(({ token }) => token)).map((pair) => pair.join(' ')),
    },
  };
}

function inAlphabet(bytes: string | readonly number[]): string {
  const list = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  return Array.from(list, (byte) => byteAlphabet[byte] ?? '').join('');
}

/** In the Rust library `$` is the end of a line, in JavaScript that of the text. */
const rustPattern = ({ source }: RegExp): string => source.replaceAll('$', '(?![\\s\\S])');

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
 * of its bytes. Tokens are in the byte-level alphabet, in the order of their ranks.
 */
function mergesOfRanks(tokens: readonly string[]): readonly (readonly [left: string, right: string])[] {
  const ranks = new Map(tokens.map((token, rank) => [token, rank]));
  return tokens.flatMap((token, rank) => {
    if (token.length < 2) return [];
    const parts = mergeBelow([...token], { ranks, limit: rank });
    const [left, right, ...more] = parts;
    return left !== undefined && right !== undefined && more.length === 0 ? [[left, right] as const] : [];
  });
}

/** Repeatedly joins the adjacent pair of the lowest rank, as long as that rank is below the limit. */
function mergeBelow(
  symbols: readonly string[],
  { ranks, limit }: { ranks: ReadonlyMap<string, number>; limit: number },
): readonly string[] {
  let parts = symbols;
  for (;;) {
    let best = { rank: limit, at: -1 };
    for (let at = 0; at + 1 < parts.length; at++) {
      const rank = ranks.get(`${parts[at]}${parts[at + 1]}`) ?? limit;
      if (rank < best.rank) best = { rank, at };
    }
    if (best.at < 0) return parts;
    const joined = `${parts[best.at]}${parts[best.at + 1]}`;
    parts = [...parts.slice(0, best.at), joined, ...parts.slice(best.at + 2)];
  }
}
