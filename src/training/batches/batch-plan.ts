import { RandomStream } from '../../core/index.ts';

/** One training example, already shifted: `targets[i]` follows `inputs[i]`, or is -100 where nothing is learned. Unpadded. */
export interface Example {
  readonly id: string;
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  /** How many leading inputs are the prompt; a sample of the model's own text starts after them. */
  readonly promptLength: number;
}

/** How examples become batches, epoch by epoch. */
export interface BatchRecipe {
  /** Examples in a batch, or rows that examples share. */
  readonly batchSize: number;
  /** The most tokens in a row that examples share; if absent, each example has its own row. */
  readonly packedLength?: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
}

/** The content of a `batches` port. */
export interface Batches {
  readonly examples: readonly Example[];
  readonly recipe: BatchRecipe;
  readonly vocabulary: string;
  /** Also the padding id. */
  readonly endOfText: number;
  /** The ids that the examples teach the model to end an answer with, ascending. */
  readonly answerEnds: readonly number[];
}

/** The batches of an epoch: a function of the examples, the recipe and the epoch alone. */
export function batchesOf({
  examples,
  recipe,
  epoch,
}: Pick<Batches, 'examples' | 'recipe'> & { readonly epoch: number }): readonly (readonly Example[])[] {
  const rows = rowsOf(examples, recipe);
  const ordered = recipe.shuffle
    ? shuffled(rows, new RandomStream(['order of examples', recipe.seed, epoch]))
    : rows;
  return Array.from({ length: batchCount(rows, recipe) }, (_, batch) =>
    ordered.slice(batch * recipe.batchSize, (batch + 1) * recipe.batchSize).flat(),
  );
}

export interface PlannedStep {
  /** 1 is the first step of the training. */
  readonly step: number;
  /** 1 is the first. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
  readonly examples: readonly Example[];
}

/** The steps after the first `taken`. A step's examples do not depend on where the training resumes. */
export function* plannedSteps({
  batches: { examples, recipe },
  epochs,
  taken = 0,
}: {
  readonly batches: Batches;
  readonly epochs: number;
  readonly taken?: number;
}): Generator<PlannedStep> {
  const stepsPerEpoch = batchesPerEpoch(examples, recipe);
  for (let epoch = 1 + Math.floor(taken / stepsPerEpoch); epoch <= epochs; epoch++) {
    for (const [index, batch] of batchesOf({ examples, recipe, epoch }).entries()) {
      const step = (epoch - 1) * stepsPerEpoch + index + 1;
      if (step > taken) yield { step, epoch, endsEpoch: index + 1 === stepsPerEpoch, examples: batch };
    }
  }
}

export const countSteps = ({ examples, recipe }: Batches, epochs: number): number =>
  epochs * batchesPerEpoch(examples, recipe);

export const batchesPerEpoch = (examples: readonly Example[], recipe: BatchRecipe): number =>
  batchCount(rowsOf(examples, recipe), recipe);

/** What the batch size counts: examples, or rows that examples share. */
const rowsOf = (examples: readonly Example[], { packedLength }: BatchRecipe) =>
  packedLength === undefined ? examples.map((example) => [example]) : bestFitRows(examples, packedLength);

const batchCount = ({ length }: readonly unknown[], { batchSize, dropLast }: BatchRecipe): number =>
  dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);

/**
 * Packs examples into rows of at most `length` tokens: the longest first, each into the row with the least room that
 * still fits it (best fit decreasing), so that few rows are needed. Within a row, and among rows, they keep their
 * order.
 */
export function bestFitRows(examples: readonly Example[], length: number): readonly (readonly Example[])[] {
  const longestFirst = [...examples.entries()].sort(([, a], [, b]) => b.inputs.length - a.inputs.length);
  /** Open rows, by the room left in them. */
  const rowsWithRoom = Array.from({ length: length + 1 }, (): number[][] => []);
  const rows: number[][] = [];
  for (const [index, { inputs }] of longestFirst) {
    const room = rowsWithRoom.findIndex((open, room) => room >= inputs.length && open.length > 0);
    const row = rowsWithRoom[room]?.pop() ?? [];
    if (row.length === 0) rows.push(row);
    row.push(index);
    rowsWithRoom[(room === -1 ? length : room) - inputs.length]?.push(row);
  }
  const ordered = rows.map((row) => row.sort(ascending)).sort(([a = 0], [b = 0]) => a - b);
  return ordered.map((row) => row.flatMap((index) => examples[index] ?? []));
}

const ascending = (a: number, b: number) => a - b;

/** Fisher-Yates shuffle. */
function shuffled<Item>(items: readonly Item[], random: RandomStream): readonly Item[] {
  const order = Uint32Array.from(items.keys());
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random.uniform() * (last + 1));
    const moved = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = moved;
  }
  return Array.from(order).flatMap((index) => items.slice(index, index + 1));
}
