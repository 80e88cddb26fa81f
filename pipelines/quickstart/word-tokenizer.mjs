// A tokenizer.json with one token per word. A word includes the space before it, so that decoding only joins tokens.
const WORDS = '\\n+| ?\\p{L}+| ?[^\\s\\p{L}]+|\\s';
const END_OF_TEXT = '<|endoftext|>';
const UNKNOWN = '<|unknown|>';

const special = (id, content) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** Hugging Face's format: the words of `texts` by code unit, after the two special tokens. */
export function tokenizerOf(texts) {
  const words = new Set(texts.flatMap((text) => text.match(new RegExp(WORDS, 'gu')) ?? []));
  const tokens = [END_OF_TEXT, UNKNOWN, ...[...words].sort()];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special(0, END_OF_TEXT), special(1, UNKNOWN)],
    normalizer: null,
    pre_tokenizer: { type: 'Split', pattern: { Regex: WORDS }, behavior: 'Isolated', invert: false },
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      unk_token: UNKNOWN,
    },
  };
}
