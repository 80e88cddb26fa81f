export interface LengthBatch<Item> {
  /** The padded length of every row. */
  readonly length: number;
  /** At most as many as a batch has rows; the caller fills the rest with rows of its own. */
  readonly items: readonly Item[];
}

export interface BatchingByLength<Item> {
  readonly items: readonly Item[];
  /** The padded length that an item needs, a function of the item alone. */
  readonly lengthOf: (item: Item) => number;
  readonly batchSize: number;
}

/** Groups items of the same padded length into batches, short lengths first, each length in the given order. */
export function batchesByLength<Item>({
  items,
  lengthOf,
  batchSize,
}: BatchingByLength<Item>): LengthBatch<Item>[] {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const length = lengthOf(item);
    const group = groups.get(length);
    if (group === undefined) groups.set(length, [item]);
    else group.push(item);
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .flatMap(([length, group]) => {
      const starts = Array.from(
        { length: Math.ceil(group.length / batchSize) },
        (_, index) => index * batchSize,
      );
      return starts.map((start) => ({ length, items: group.slice(start, start + batchSize) }));
    });
}
