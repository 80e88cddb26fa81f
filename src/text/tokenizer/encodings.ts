/** One of OpenAI's encodings. */
export interface Encoding {
  /** The tokens by their ids, one character per byte (U+0000 to U+00FF); undefined for ids that are not used. */
  readonly tokens: readonly (string | undefined)[];
  /** Name -> id. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Splits a text into the words that are encoded one by one: a regular expression, where `\s` is Unicode's White_Space. */
  readonly words: string;
}

type Ranks = readonly (string | readonly number[])[];

interface Description {
  readonly ranks: () => Promise<{ readonly default: Ranks }>;
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly words: string;
}

export const endOfTextToken = '<|endoftext|>';

// The regular expressions and special tokens are those of tiktoken, without possessive quantifiers, which JavaScript
// lacks, and with `(?i:)` spelled out. The long s is a lowercase of S.
const r50kWords = "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const contraction = "'(?:[sSſdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])";
const cl100kWords = `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+$|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const upper = '\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}';
const lower = '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}';
const o200kWords =
  `[^\\r\\n\\p{L}\\p{N}]?[${upper}]*[${lower}]+(?:${contraction})?|[^\\r\\n\\p{L}\\p{N}]?[${upper}]+[${lower}]*(?:${contraction})?` +
  '|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const r50k = { specialTokens: { [endOfTextToken]: 50256 }, words: r50kWords };
const p50kRanks = () => import('gpt-tokenizer/bpeRanks/p50k_base');
const o200k = { ranks: () => import('gpt-tokenizer/bpeRanks/o200k_base'), words: o200kWords };
const o200kTokens = { [endOfTextToken]: 199999, '<|endofprompt|>': 200018 };

const harmonyNames = new Map([
  [199998, '<|startoftext|>'],
  [199999, endOfTextToken],
  [200002, '<|return|>'],
  [200003, '<|constrain|>'],
  [200005, '<|channel|>'],
  [200006, '<|start|>'],
  [200007, '<|end|>'],
  [200008, '<|message|>'],
  [200012, '<|call|>'],
]);

/** All ids above those of o200k_base have a name, and 200018 has two. */
const harmonyTokens = {
  ...o200kTokens,
  ...Object.fromEntries(
    Array.from({ length: 201088 - 199998 }, (_, index) => {
      const id = 199998 + index;
      return [harmonyNames.get(id) ?? `<|reserved_${id}|>`, id];
    }),
  ),
};

const descriptions = {
  r50k_base: { ranks: () => import('gpt-tokenizer/bpeRanks/r50k_base'), ...r50k },
  p50k_base: { ranks: p50kRanks, ...r50k },
  p50k_edit: {
    ranks: p50kRanks,
    words: r50kWords,
    specialTokens: {
      ...r50k.specialTokens,
      '<|fim_prefix|>': 50281,
      '<|fim_middle|>': 50282,
      '<|fim_suffix|>': 50283,
    },
  },
  cl100k_base: {
    ranks: () => import('gpt-tokenizer/bpeRanks/cl100k_base'),
    words: cl100kWords,
    specialTokens: {
      [endOfTextToken]: 100257,
      '<|fim_prefix|>': 100258,
      '<|fim_middle|>': 100259,
      '<|fim_suffix|>': 100260,
      '<|endofprompt|>': 100276,
    },
  },
  o200k_base: { ...o200k, specialTokens: o200kTokens },
  o200k_harmony: { ...o200k, specialTokens: harmonyTokens },
} satisfies Record<string, Description>;

export type EncodingName = keyof typeof descriptions;

export const encodingNames: readonly string[] = Object.keys(descriptions);

export const isEncodingName = (name: string): name is EncodingName => Object.hasOwn(descriptions, name);

/** Loads the tables of an encoding. */
export async function readEncoding(name: EncodingName): Promise<Encoding> {
  const { ranks, specialTokens, words } = descriptions[name];
  const { default: table } = (await ranks()) as { default: Ranks }; // its types list every token
  return { tokens: Array.from(table, bytesOf), specialTokens: new Map(Object.entries(specialTokens)), words };
}

/** The table holds a token as text, if its bytes are UTF-8, else as bytes. */
function bytesOf(token: string | readonly number[] | undefined): string | undefined {
  if (token === undefined) return undefined;
  return typeof token === 'string' ? byteText(token) : String.fromCharCode(...token);
}

const ascii = /^[\0-\x7f]*$/;

/** A text's UTF-8 bytes, one character per byte. */
export const byteText = (text: string): string =>
  ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
