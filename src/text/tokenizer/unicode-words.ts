import type { Json, JsonObject } from '../../json.ts';
import { isObject } from '../parse-record.ts';

/** Unicode's own definition of `\w` (UTS 18, annex C), which the Rust tokenizers follow and JavaScript's `\w` does not. */
const wordCharacters = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d';

/** What the pre-tokenizer `Whitespace` means, spelt out: runs of word characters, and runs of neither these nor white space. */
const words: JsonObject = {
  type: 'Split',
  pattern: { Regex: `[${wordCharacters}]+|[^${wordCharacters}\\s]+` },
  behavior: 'Removed',
  invert: true,
};

/** The same tokenizer.json with `Whitespace` spelt out, since the JavaScript library splits words at accented letters. */
export function withUnicodeWords(json: JsonObject): JsonObject {
  return { ...json, pre_tokenizer: spellOut(json.pre_tokenizer ?? null) };
}

function spellOut(preTokenizer: Json): Json {
  if (!isObject(preTokenizer)) return preTokenizer;
  const { type, pretokenizers } = preTokenizer;
  if (type === 'Whitespace') return words;
  if (!Array.isArray(pretokenizers)) return preTokenizer;
  return { ...preTokenizer, pretokenizers: pretokenizers.map(spellOut) };
}
