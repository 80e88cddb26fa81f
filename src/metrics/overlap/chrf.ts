import { wordsOf } from '../../text/index.ts';
import { asciiPunctuation } from '../normalize-answer.ts';
import { type Counts, ngrams, sharedCount, sumPlaces, totalCount } from './ngrams.ts';

/** What chrF counts in answers: per order the answers' n-grams, the references' and those that they share. */
export type ChrfCounts = readonly number[];

const CHARACTER_ORDERS = 6;
/** Recall weighs as much as precision times the square of this. */
const BETA = 2;

/**
 * Counts the n-grams of one to six characters, without white space, and of up to `wordOrder` words: 0 for chrF, 2 for
 * chrF++ (Popović 2015, 2017). Of several references the one with the best score for this answer counts. Needs at least one.
 */
export function chrfCounts(answer: string, references: readonly string[], wordOrder: 0 | 2): ChrfCounts {
  const own = ordersOf(answer, wordOrder);
  let best: ChrfCounts = [];
  let bestScore = -1;
  for (const reference of references) {
    const counts = ordersOf(reference, wordOrder).flatMap((expected, order) => {
      const answered = own[order] ?? new Map<string, number>();
      // As in sacrebleu: an order that the reference has no n-gram of counts none of the answer's.
      return [
        expected.size === 0 ? 0 : totalCount(answered),
        totalCount(expected),
        sharedCount(answered, expected),
      ];
    });
    const score = chrfOf([counts]);
    if (score > bestScore) [best, bestScore] = [counts, score];
  }
  return best;
}

function ordersOf(text: string, wordOrder: number): readonly Counts[] {
  const characters = [...wordsOf(text).join('')];
  const words = wordOrder === 0 ? [] : wordsOf(text).flatMap(withoutPunctuation);
  return [
    ...Array.from({ length: CHARACTER_ORDERS }, (_, index) => ngrams(characters, index + 1, '')),
    ...Array.from({ length: wordOrder }, (_, index) => ngrams(words, index + 1, ' ')),
  ];
}

/** A word and the punctuation mark at its end, or else at its beginning. */
function withoutPunctuation(word: string): readonly string[] {
  const characters = [...word];
  if (characters.length === 1) return [word];
  if (isPunctuation(characters.at(-1))) return [characters.slice(0, -1).join(''), characters.at(-1) ?? ''];
  if (isPunctuation(characters[0])) return [characters[0] ?? '', characters.slice(1).join('')];
  return [word];
}

const isPunctuation = (character = ''): boolean => character.replace(asciiPunctuation, '') === '';

/**
 * chrF in percent of the sums of answers' counts, as sacrebleu computes it: the F score of the precisions and recalls, each
 * averaged over the orders that both sides have n-grams of.
 */
export function chrfOf(counts: readonly ChrfCounts[]): number {
  const sums = sumPlaces(counts);
  let [precision, recall, orders] = [0, 0, 0];
  for (let place = 0; place < sums.length; place += 3) {
    const [answered = 0, expected = 0, shared = 0] = sums.slice(place, place + 3);
    if (answered === 0 || expected === 0) continue;
    precision += shared / answered;
    recall += shared / expected;
    orders += 1;
  }
  if (precision + recall === 0) return 0;
  precision /= orders;
  recall /= orders;
  const factor = BETA ** 2;
  return (100 * ((1 + factor) * precision * recall)) / (factor * precision + recall);
}
