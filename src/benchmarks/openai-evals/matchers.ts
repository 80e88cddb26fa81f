import { isObject, type Json } from '../../core/index.ts';
import { answerTokens, normalizeAnswer, tokenOverlapF1 } from '../../metrics/index.ts';

/** Whether a completion matches an ideal answer. */
export type Matcher = (completion: string, ideal: string) => boolean;

/** evals.elsuite.basic.match: the completion begins with the answer. */
export const startsWith: Matcher = (completion, ideal) => completion.startsWith(ideal);

/** evals.elsuite.basic.includes: the completion contains the answer. */
export const includes: Matcher = (completion, ideal) => completion.includes(ideal);

/** The same with `ignore_case`. */
export const includesAnyCase: Matcher = (completion, ideal) =>
  completion.toLowerCase().includes(ideal.toLowerCase());

/** evals.elsuite.basic.fuzzy_match: one contains the other when both are normalized; the empty text matches only itself. */
export const fuzzyMatch: Matcher = (completion, ideal) => {
  const [one, other] = [normalizeAnswer(completion), normalizeAnswer(ideal)];
  return one === '' || other === '' ? one === other : one.includes(other) || other.includes(one);
};

/** evals.elsuite.utils.f1_score: the best over the ideal answers. */
export const fuzzyF1 = (completion: string, ideals: readonly string[]): number =>
  Math.max(0, ...ideals.map((ideal) => tokenOverlapF1(answerTokens(ideal), answerTokens(completion))));

/** evals.elsuite.basic.json_match: equal component by component; a completion that is not JSON is wrong. */
export const jsonMatch: Matcher = (completion, ideal) => {
  const answered = parsed(completion);
  return answered !== undefined && isSame(answered, JSON.parse(ideal));
};

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As Python compares: null equals nothing, and true is 1. */
function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === undefined || one === null || other === undefined || other === null) return false;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]));
  if (isObject(one) && isObject(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...keys].every((key) => isSame(ownValue(one, key), ownValue(other, key)));
  }
  return asNumber(one) === asNumber(other);
}

const ownValue = (object: Readonly<Record<string, Json>>, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

const asNumber = (value: Json): Json => (typeof value === 'boolean' ? Number(value) : value);
