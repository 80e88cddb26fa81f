import { RandomStream } from '../../model/random-stream.ts';

interface Shuffling<Item> {
  readonly items: readonly Item[];
  readonly seed: number;
  readonly epoch: number;
}

/** The items in an order that depends on their number, the seed and the epoch alone (Fisher and Yates's shuffle). */
export function shuffled<Item>({ items, seed, epoch }: Shuffling<Item>): readonly Item[] {
  const random = new RandomStream(['order of examples', seed, epoch]);
  const order = Uint32Array.from(items.keys());
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random.uniform() * (last + 1));
    const moved = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = moved;
  }
  return Array.from(order).flatMap((index) => items.slice(index, index + 1));
}
