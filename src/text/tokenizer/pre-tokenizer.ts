import { isObject, type Json, type JsonObject } from '../../core/index.ts';

/** How GPT-2 splits a text. */
const gpt2Words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
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

/** Unicode's own definition of `\w` (UTS 18, annex C), which the Rust tokenizers follow and JavaScript's `\w` does not. */
const wordCharacters = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d';

/** What the pre-tokenizer `Whitespace` means, spelt out: runs of word characters, and runs of neither these nor white space. */
const words: JsonObject = {
  type: 'Split',
  pattern: { Regex: `[${wordCharacters}]+|[^${wordCharacters}\\s]+` },
  behavior: 'Removed',
  invert: true,
};

const bytes: JsonObject = {
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: false,
};

/** What `ByteLevel` does by default: GPT-2's words, then bytes. */
const bytesOfWords: JsonObject = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: gpt2Words }, behavior: 'Isolated', invert: false },
    bytes,
  ],
};

/**
 * The same tokenizer.json with `Whitespace` and `ByteLevel` spelt out: the JavaScript library splits words at accented
 * letters, and takes JavaScript's white space for Unicode's, which differ in U+FEFF and U+0085.
 */
export function withUnicodeWords(json: JsonObject): JsonObject {
  return { ...json, pre_tokenizer: spellOut(json.pre_tokenizer ?? null) };
}

function spellOut(preTokenizer: Json): Json {
  if (!isObject(preTokenizer)) return preTokenizer;
  const { type, pretokenizers } = preTokenizer;
  if (type === 'Whitespace') return words;
  if (type === 'ByteLevel' && preTokenizer.add_prefix_space === false && preTokenizer.use_regex !== false)
    return bytesOfWords;
  if (!Array.isArray(pretokenizers)) return preTokenizer;
  return { ...preTokenizer, pretokenizers: pretokenizers.map(spellOut) };
}
