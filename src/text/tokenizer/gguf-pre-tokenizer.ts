import type { Json, JsonObject } from '../../json.ts';

/** How GPT-2 splits a text. */
export const gpt2Words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const llama3Words =
  "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const qwen2Words = llama3Words.replace('\\p{N}{1,3}', '\\p{N}');
const llama3 = [llama3Words];

/**
 * The names that llama.cpp gives to ways of splitting a text before its merges (`tokenizer.ggml.pre`) -> the regular
 * expressions that split it, one after the other, as in llama-vocab.cpp.
 */
const patterns = new Map<string, readonly string[]>([
  ['gpt-2', [gpt2Words]],
  ['smollm', ['\\p{N}', gpt2Words]],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['qwen2', [qwen2Words]],
  // What llama.cpp takes where a file names none.
  ['default', ['[\\p{P}\\$\\+<=>\\^~\\|]+', gpt2Words, '\\p{N}+', '[0-9][0-9][0-9]']],
]);

export const preTokenizerNames: readonly string[] = [...patterns.keys()];

/** The `pre_tokenizer` of a tokenizer.json for one of llama.cpp's names; undefined where it is unknown. */
export function ggufPreTokenizer(name: string): JsonObject | undefined {
  const splits = patterns.get(name)?.map(
    (pattern): Json => ({
      type: 'Split',
      pattern: { Regex: pattern },
      behavior: 'Isolated',
      invert: false,
    }),
  );
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  return splits && { type: 'Sequence', pretokenizers: [...splits, bytes] };
}

/** Whether a word that is a token as a whole is never put together from its parts. */
export const ignoresMerges = (name: string): boolean => patterns.get(name) === llama3;
