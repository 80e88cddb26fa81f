/** string.punctuation of Python, and the quotes that TriviaQA adds: ‘ ’ ´ (the grave accent is in both). */
const punctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~‘’´]/g;
/** A word boundary that knows every letter, as Python's does and JavaScript's `\b` does not. */
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** The words of TriviaQA's normalize_answer: small letters, a space for each punctuation mark, no articles. */
export const triviaWords = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .replace(punctuation, ' ')
    .replace(articles, ' ')
    .split(/\s+/u)
    .filter((word) => word !== '');

export const normalizeTrivia = (text: string): string => triviaWords(text).join(' ');
