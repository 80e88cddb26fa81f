const asciiPunctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g;
/** A word boundary that knows every letter, as Python's does and JavaScript's `\b` does not. */
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** SQuAD's normalize_answer (evaluate-v2.0.py): small letters, no ASCII punctuation, no articles, single spaces. */
export function normalizeAnswer(text: string): string {
  return wordsOf(text.toLowerCase().replace(asciiPunctuation, '').replace(articles, ' ')).join(' ');
}

/** SQuAD's get_tokens. */
export const answerTokens = (text: string): readonly string[] => wordsOf(normalizeAnswer(text));

const wordsOf = (text: string): readonly string[] => text.split(/\s+/u).filter((word) => word !== '');
