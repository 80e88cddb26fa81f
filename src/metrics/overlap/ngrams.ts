/** How often each n-gram occurs, by its items joined. */
export type Counts = ReadonlyMap<string, number>;

/** The n-grams of one order. `join` is what stands between items: it must not occur in one, or be empty where items are characters. */
export function ngrams(items: readonly string[], order: number, join: string): Counts {
  const counts = new Map<string, number>();
  for (let start = 0; start + order <= items.length; start++) {
    const ngram = order === 1 ? (items[start] ?? '') : items.slice(start, start + order).join(join);
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/** How many n-grams two texts share, counted with multiplicity. */
export function sharedCount(one: Counts, other: Counts): number {
  const [few, many] = one.size < other.size ? [one, other] : [other, one];
  let shared = 0;
  for (const [ngram, count] of few) shared += Math.min(count, many.get(ngram) ?? 0);
  return shared;
}

/** The number of n-grams, counted with multiplicity. */
export function totalCount(counts: Counts): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** Sums lists of equal length, place by place. */
export function sumPlaces(lists: readonly (readonly number[])[]): readonly number[] {
  const [first = [], ...others] = lists;
  const sums = [...first];
  for (const list of others)
    for (const [place, value] of list.entries()) sums[place] = (sums[place] ?? 0) + value;
  return sums;
}
