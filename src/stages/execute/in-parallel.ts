interface Parallel<Item, Result> {
  /** How many are worked on at once. */
  readonly limit: number;
  readonly work: (item: Item) => Promise<Result>;
}

/** The results of all items in their order; the first failure ends the work. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  { limit, work }: Parallel<Item, Result>,
): Promise<readonly Result[]> {
  const results = new Map<number, Result>();
  const waiting = items.entries();
  const worker = async () => {
    for (const [index, item] of waiting) results.set(index, await work(item));
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
