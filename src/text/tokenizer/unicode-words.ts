import type { Json, JsonObject } from '../../json.ts';
import { isObject } from '../parse-record.ts';
import { gpt2Words } from './gguf-pre-tokenizer.ts';

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
