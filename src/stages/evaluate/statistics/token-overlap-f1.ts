/** The harmonic mean of precision and recall over words, each counted as often as both sides have it; 0 without a shared word. */
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
