import { ngrams, sharedCount, totalCount } from './ngrams.ts';
import { porterStem } from './porter-stem.ts';

/** F1 of an answer and a reference in [0, 1], as Google's rouge-score computes it (Lin 2004). */
export type Rouge = (reference: string, answer: string, options: RougeOptions) => number;

export interface RougeOptions {
  /** Compares words of more than three letters by their stems. */
  readonly stem: boolean;
}

/** Of n-grams of words. */
export const rougeN =
  (order: number): Rouge =>
  (reference, answer, options) => {
    const [expected, answered] = [reference, answer].map((text) =>
      ngrams(tokensOf(text, options), order, ' '),
    );
    if (expected === undefined || answered === undefined) return 0;
    const shared = sharedCount(expected, answered);
    return f1(shared, { answered: totalCount(answered), expected: totalCount(expected) });
  };

/** Of the longest common subsequence of words. */
export const rougeL: Rouge = (reference, answer, options) => {
  const [expected, answered] = [tokensOf(reference, options), tokensOf(answer, options)];
  const length = lengthsOf(expected, answered).at(-1)?.at(-1) ?? 0;
  return f1(length, { answered: answered.length, expected: expected.length });
};

/**
 * Of texts whose lines are sentences: each sentence of the reference with the union of its longest common subsequences with
 * the answer's sentences. A word counts at most as often as both texts have it.
 */
export const rougeLsum: Rouge = (reference, answer, options) => {
  const [expected, answered] = [sentencesOf(reference, options), sentencesOf(answer, options)];
  const left = [answered, expected].map((sentences) => new Map(ngrams(sentences.flat(), 1, '')));
  let hits = 0;
  for (const sentence of expected) {
    for (const place of unionOfSubsequences(sentence, answered)) {
      const word = sentence[place] ?? '';
      if (left.some((counts) => (counts.get(word) ?? 0) === 0)) continue;
      hits += 1;
      for (const counts of left) counts.set(word, (counts.get(word) ?? 0) - 1);
    }
  }
  return f1(hits, { answered: answered.flat().length, expected: expected.flat().length });
};

function f1(
  shared: number,
  { answered, expected }: { readonly answered: number; readonly expected: number },
): number {
  const precision = shared / Math.max(answered, 1);
  const recall = shared / Math.max(expected, 1);
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

/** Lowercase words of ASCII letters and digits; all else separates words. */
const tokensOf = (text: string, { stem }: RougeOptions): readonly string[] =>
  (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).map((word) =>
    stem && word.length > 3 ? porterStem(word) : word,
  );

const sentencesOf = (text: string, options: RougeOptions): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => tokensOf(line, options));

/** The lengths of the longest common subsequences of the first i words of one and the first j of the other: [i][j]. */
function lengthsOf(one: readonly string[], other: readonly string[]): readonly Int32Array[] {
  const rows = [new Int32Array(other.length + 1)];
  for (const word of one) {
    const above = rows.at(-1) ?? new Int32Array();
    const row = new Int32Array(other.length + 1);
    for (let column = 1; column <= other.length; column++)
      row[column] =
        word === other[column - 1]
          ? (above[column - 1] ?? 0) + 1
          : Math.max(above[column] ?? 0, row[column - 1] ?? 0);
    rows.push(row);
  }
  return rows;
}

/** The places in a sentence that are in a longest common subsequence with any of the others, ascending. */
function unionOfSubsequences(
  sentence: readonly string[],
  others: readonly (readonly string[])[],
): readonly number[] {
  const places = new Set(others.flatMap((other) => subsequencePlaces(sentence, other)));
  return [...places].sort((a, b) => a - b);
}

/** Among equally long subsequences the choice is rouge-score's, because the union depends on it. */
function subsequencePlaces(one: readonly string[], other: readonly string[]): readonly number[] {
  const lengths = lengthsOf(one, other);
  const places: number[] = [];
  let [row, column] = [one.length, other.length];
  while (row > 0 && column > 0) {
    if (one[row - 1] === other[column - 1]) {
      row -= 1;
      column -= 1;
      places.push(row);
    } else if ((lengths[row]?.[column - 1] ?? 0) > (lengths[row - 1]?.[column] ?? 0)) column -= 1;
    else row -= 1;
  }
  return places;
}
