import { RandomStream } from '../../core/index.ts';
import type { BatchRecipe, Example } from './example.ts';

export interface EpochOfExamples {
  readonly examples: readonly Example[];
  readonly recipe: BatchRecipe;
  readonly epoch: number;
}

/** Which examples make up which batch of an epoch: a function of the examples, the recipe and the epoch alone. */
export function exampleGroups({ examples, recipe, epoch }: EpochOfExamples): readonly (readonly Example[])[] {
  const rows = rowsOf(examples, recipe);
  const ordered = recipe.shuffle ? shuffled({ items: rows, seed: recipe.seed, epoch }) : rows;
  return Array.from({ length: countOf(rows, recipe) }, (_, group) =>
    ordered.slice(group * recipe.batchSize, (group + 1) * recipe.batchSize).flat(),
  );
}

/** How many batches an epoch has. */
export const groupCount = (examples: readonly Example[], recipe: BatchRecipe): number =>
  countOf(rowsOf(examples, recipe), recipe);

/** What a batch counts: examples, or the rows that they share. */
const rowsOf = (examples: readonly Example[], { packedLength }: BatchRecipe) =>
  packedLength === undefined ? examples.map((example) => [example]) : bestFitRows(examples, packedLength);

const countOf = ({ length }: readonly unknown[], { batchSize, dropLast }: BatchRecipe): number =>
  dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);

/**
 * Examples sharing rows of at most `length` tokens: the longest first, each into the row that it leaves the least room
 * in (best fit decreasing), so that few rows are needed. Within a row, and among rows, they keep their order.
 */
export function bestFitRows(examples: readonly Example[], length: number): readonly (readonly Example[])[] {
  const longestFirst = [...examples.entries()].sort(([, a], [, b]) => b.inputs.length - a.inputs.length);
  /** By room: the rows that have just so much left. */
  const rowsWithRoom = Array.from({ length: length + 1 }, (): number[][] => []);
  const rows: number[][] = [];
  for (const [place, { inputs }] of longestFirst) {
    const room = rowsWithRoom.findIndex((open, room) => room >= inputs.length && open.length > 0);
    const row = rowsWithRoom[room]?.pop() ?? [];
    if (row.length === 0) rows.push(row);
    row.push(place);
    rowsWithRoom[(room === -1 ? length : room) - inputs.length]?.push(row);
  }
  const ordered = rows.map((row) => row.sort(upwards)).sort(([a = 0], [b = 0]) => a - b);
  return ordered.map((row) => row.flatMap((place) => examples[place] ?? []));
}

const upwards = (a: number, b: number) => a - b;

interface Shuffling<Item> {
  readonly items: readonly Item[];
  readonly seed: number;
  readonly epoch: number;
}

/** The items in an order that depends on their number, the seed and the epoch alone (Fisher and Yates's shuffle). */
function shuffled<Item>({ items, seed, epoch }: Shuffling<Item>): readonly Item[] {
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
