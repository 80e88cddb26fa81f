import type { JsonObject } from '../../core/index.ts';

/** How GPT-2 splits a text. */
export const gpt2Words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const llama3Words =
  "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const qwen2Words = llama3Words.replace('\\p{N}{1,3}', '\\p{N}');
const llama3 = [llama3Words];

/**
 * llama.cpp's names for ways of splitting a text before the merges (`tokenizer.ggml.pre`) -> the regular expressions
 * that split it in turn, as in llama-vocab.cpp.
 */
const patterns = new Map<string, readonly string[]>([
  ['gpt-2', [gpt2Words]],
  ['smollm', ['\\p{N}', gpt2Words]],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['qwen2', [qwen2Words]],
  // llama.cpp's choice if a file names none.
  ['default', ['[\\p{P}\\$\\+<=>\\^~\\|]+', gpt2Words, '\\p{N}+', '[0-9][0-9][0-9]']],
]);

export const preTokenizerNames: readonly string[] = [...patterns.keys()];

/** The `pre_tokenizer` of a tokenizer.json for one of llama.cpp's names; undefined if it is unknown. */
export function ggufPreTokenizer(name: string): JsonObject | undefined {
  const splits = patterns.get(name);
  return splits && splitsThenBytes(splits);
}

/** Whether a word that is a token is never built by merges. */
export const ignoresMerges = (name: string): boolean => patterns.get(name) === llama3;

/** Whether llama.cpp puts the token for the beginning before a text if the file does not say. */
export const addsStart = ignoresMerges;

/** The byte-level alphabet; by default with GPT-2's split into words first. */
export const byteLevel = (splits: boolean): JsonObject => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: splits,
});

/** Splits a text by each regular expression in turn, then encodes bytes. */
export const splitsThenBytes = (patterns: readonly string[]): JsonObject => ({
  type: 'Sequence',
  pretokenizers: [
    ...patterns.map((Regex) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false })),
    byteLevel(false),
  ],
});
