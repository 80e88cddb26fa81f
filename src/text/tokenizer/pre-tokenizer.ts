import type { JsonObject } from '../../core/index.ts';

/** How GPT-2 splits a text. */
export const gpt2Words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const llama3Words =
  "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const qwen2Words = llama3Words.replace('\\p{N}{1,3}', '\\p{N}');
/** Words end where a small letter is followed by a capital one. */
const capitalizedWords =
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+CONTRACTION|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*CONTRACTION|DIGITS| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const tekkenWords = capitalizedWords.replaceAll('CONTRACTION', '').replace('DIGITS', '\\p{N}');
const gpt4oWords = capitalizedWords
  .replaceAll('CONTRACTION', "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?")
  .replace('DIGITS', '\\p{N}{1,3}');

interface Rule {
  /** Regular expressions that split a text in turn. */
  readonly splits: readonly string[];
  /** Whether a word that is a token is never built by merges. */
  readonly ignoresMerges?: boolean;
  /** Whether llama.cpp puts the token for the beginning before a text if the file does not say. */
  readonly addsStart?: boolean;
}

const gpt2: Rule = { splits: [gpt2Words] };
const digits: Rule = { splits: ['\\p{N}', gpt2Words] };
const llama3: Rule = { splits: [llama3Words], ignoresMerges: true, addsStart: true };
const qwen2: Rule = { splits: [qwen2Words] };

/**
 * llama.cpp's names for ways of splitting a text before the merges (`tokenizer.ggml.pre`), as in llama-vocab.cpp. Where it
 * approximates classes of letters (tekken, gpt-4o), the expressions are those of the models' own tokenizer.json.
 */
const rules: ReadonlyMap<string, Rule> = new Map([
  ['gpt-2', gpt2],
  ['phi-2', gpt2],
  ['olmo', gpt2],
  ['mpt', gpt2],
  ['smollm', digits],
  ['starcoder', digits],
  ['refact', digits],
  ['command-r', digits],
  ['codeshell', digits],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['dbrx', { splits: [llama3Words] }],
  ['smaug-bpe', { splits: [llama3Words] }],
  ['qwen2', qwen2],
  ['deepseek-r1-qwen', qwen2],
  ['tekken', { splits: [tekkenWords], ignoresMerges: true, addsStart: true }],
  ['gpt-4o', { splits: [gpt4oWords] }],
  // llama.cpp's choice if a file names none.
  ['default', { splits: ['[\\p{P}\\$\\+<=>\\^~\\|]+', gpt2Words, '\\p{N}+', '[0-9][0-9][0-9]'] }],
]);

export const preTokenizerNames: readonly string[] = [...rules.keys()];

/** The `pre_tokenizer` of a tokenizer.json for one of llama.cpp's names; undefined if it is unknown. */
export function ggufPreTokenizer(name: string): JsonObject | undefined {
  const rule = rules.get(name);
  return rule && splitsThenBytes(rule.splits);
}

/** Whether a word that is a token is never built by merges. */
export const ignoresMerges = (name: string): boolean => rules.get(name)?.ignoresMerges === true;

/** Whether llama.cpp puts the token for the beginning before a text if the file does not say. */
export const addsStart = (name: string): boolean => rules.get(name)?.addsStart === true;

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
