export const asciiPunctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g;
/** With word boundaries for all letters, as in Python; JavaScript's `\b` knows only ASCII. */
export const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** SQuAD's normalize_answer (evaluate-v2.0.py): lowercase, no ASCII punctuation, no articles, single spaces. */
export function normalizeAnswer(text: string): string {
  return wordsOf(text.toLowerCase().replace(asciiPunctuation, '').replace(articles, ' ')).join(' ');
}

/** SQuAD's get_tokens. */
export const answerTokens = (text: string): readonly string[] => wordsOf(normalizeAnswer(text));

const wordsOf = (text: string): readonly string[] => text.split(/\s+/u).filter((word) => word !== '');

/** The harmonic mean of precision and recall over words, counted with multiplicity; 0 without a shared word. */
export function tokenOverlapF1(gold: readonly string[], answered: readonly string[]): number {
  const shared = sharedCount(gold, answered);
  if (shared === 0) return 0;
  const precision = shared / answered.length;
  const recall = shared / gold.length;
  return (2 * precision * recall) / (precision + recall);
}

function sharedCount(one: readonly string[], other: readonly string[]): number {
  const left = new Map<string, number>();
  for (const token of one) left.set(token, (left.get(token) ?? 0) + 1);
  let shared = 0;
  for (const token of other) {
    const count = left.get(token) ?? 0;
    if (count > 0) shared += 1;
    left.set(token, count - 1);
  }
  return shared;
}
