/** Items by the padded length that each needs, short lengths first, each length in the given order. */
export function groupByLength<Item>(
  items: readonly Item[],
  lengthOf: (item: Item) => number,
): readonly (readonly [length: number, items: readonly Item[]])[] {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const length = lengthOf(item);
    const group = groups.get(length);
    if (group === undefined) groups.set(length, [item]);
    else group.push(item);
  }
  return [...groups].sort(([a], [b]) => a - b);
}
