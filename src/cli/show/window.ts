import { formatCount } from '../terminal/format-number.ts';

/** Some items of many. */
export interface Window<Item> {
  readonly offset: number;
  readonly items: readonly Item[];
  readonly total: number;
}

/** Keeps `limit` items from `offset` on, and counts all of them. */
export async function windowOf<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  { offset, limit }: { offset: number; limit: number },
): Promise<Window<Item>> {
  const kept: Item[] = [];
  let total = 0;
  for await (const item of items) {
    if (total >= offset && kept.length < limit) kept.push(item);
    total += 1;
  }
  return { offset, items: kept, total };
}

/** Says which items are shown and how to see the next ones; empty where all of them are. */
export function windowNote({ offset, items, total }: Window<unknown>, noun: string): string {
  if (items.length === total) return '';
  if (items.length === 0) return `no ${noun} from ${formatCount(offset)} on; there are ${formatCount(total)}`;
  const range = `${noun} ${formatCount(offset + 1)} to ${formatCount(offset + items.length)} of ${formatCount(total)}`;
  const next = offset + items.length;
  return next < total ? `${range}; see more with --offset ${next} or --limit` : range;
}
