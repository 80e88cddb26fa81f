import { RandomStream } from '../../core/index.ts';

/** A text to compute, already shifted: `targets[i]` follows `inputs[i]`, or is -100 where nothing counts. Unpadded. */
export interface TargetedText {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
}

/** One training example: its targets are learned. */
export interface Example extends TargetedText {
  readonly id: string;
  /** How many leading inputs are the prompt; a sample of the model's own text starts after them. */
  readonly promptLength: number;
}

/** An answer after its prompt: its targets are those tokens whose log-probabilities are compared. */
export interface Answer extends TargetedText {
  readonly promptLength: number;
  /** The sum of its targets' log-probabilities by the reference model, if that has been computed. */
  readonly reference?: number;
}

/** Two answers to one prompt. It has no inputs itself, so that nothing takes it for an example to learn. */
export interface PreferencePair {
  readonly id: string;
  readonly chosen: PreferredAnswer;
  readonly rejected: Answer;
}

export interface PreferredAnswer extends Answer {
  /** What ORPO learns besides, in the form of `targets`; it may include the prompt. */
  readonly learned: Int32Array;
}

/** An answer that is desirable or not. */
export interface JudgedAnswer {
  readonly id: string;
  readonly answer: Answer;
  readonly desirable: boolean;
  /** The prompt with the answer of another record, by which KTO estimates how far the model is from its reference. */
  readonly mismatched: Answer;
}

/** What a batch counts. */
export type BatchItem = Example | PreferencePair | JudgedAnswer;

/** How items become batches, epoch by epoch. */
export interface BatchRecipe {
  /** Items in a batch, or rows that examples share. */
  readonly batchSize: number;
  /** The most tokens in a row that examples share; if absent, each item has its own row. */
  readonly packedLength?: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
}

interface BatchSet<Item> {
  readonly examples: readonly Item[];
  readonly recipe: BatchRecipe;
  readonly vocabulary: string;
  /** Also the padding id. */
  readonly endOfText: number;
  /** The ids that the examples teach the model to end an answer with, ascending. */
  readonly answerEnds: readonly number[];
}

export type PlainBatches = BatchSet<Example> & { readonly preference?: undefined };
export type PairedBatches = BatchSet<PreferencePair> & { readonly preference: 'paired' };
export type UnpairedBatches = BatchSet<JudgedAnswer> & { readonly preference: 'unpaired' };

/** The content of a `batches` port: examples to learn, or what preferences compare. */
export type Batches = PlainBatches | PairedBatches | UnpairedBatches;

/** The batches of an epoch: a function of the examples, the recipe and the epoch alone. */
export function batchesOf<Item extends BatchItem>({
  examples,
  recipe,
  epoch,
}: ItemsAndRecipe<Item> & { readonly epoch: number }): readonly (readonly Item[])[] {
  const rows = rowsOf(examples, recipe);
  const ordered = recipe.shuffle
    ? shuffled(rows, new RandomStream(['order of examples', recipe.seed, epoch]))
    : rows;
  return Array.from({ length: batchCount(rows, recipe) }, (_, batch) =>
    ordered.slice(batch * recipe.batchSize, (batch + 1) * recipe.batchSize).flat(),
  );
}

interface ItemsAndRecipe<Item> {
  readonly examples: readonly Item[];
  readonly recipe: BatchRecipe;
}

export interface PlannedStep {
  /** 1 is the first step of the training. */
  readonly step: number;
  /** 1 is the first. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
  readonly examples: readonly BatchItem[];
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
    for (const [index, batch] of batchesOf<BatchItem>({ examples, recipe, epoch }).entries()) {
      const step = (epoch - 1) * stepsPerEpoch + index + 1;
      if (step > taken) yield { step, epoch, endsEpoch: index + 1 === stepsPerEpoch, examples: batch };
    }
  }
}

export const countSteps = ({ examples, recipe }: Batches, epochs: number): number =>
  epochs * batchesPerEpoch(examples, recipe);

export const batchesPerEpoch = (examples: readonly BatchItem[], recipe: BatchRecipe): number =>
  batchCount(rowsOf(examples, recipe), recipe);

/** What the batch size counts: examples, or rows that examples share. */
const rowsOf = <Item extends BatchItem>(
  examples: readonly Item[],
  { packedLength }: BatchRecipe,
): readonly (readonly Item[])[] =>
  packedLength === undefined ? examples.map((example) => [example]) : bestFitRows(examples, packedLength);

const batchCount = ({ length }: readonly unknown[], { batchSize, dropLast }: BatchRecipe): number =>
  dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);

/**
 * Packs examples into rows of at most `length` tokens: the longest first, each into the row with the least room that
 * still fits it (best fit decreasing), so that few rows are needed. Within a row, and among rows, they keep their
 * order.
 */
export function bestFitRows<Item extends BatchItem>(
  examples: readonly Item[],
  length: number,
): readonly (readonly Item[])[] {
  const lengths = examples.map((example) =>
    textsOf(example).reduce((sum, { inputs }) => sum + inputs.length, 0),
  );
  const longestFirst = [...lengths.entries()].sort(([, a], [, b]) => b - a);
  /** Open rows, by the room left in them. */
  const rowsWithRoom = Array.from({ length: length + 1 }, (): number[][] => []);
  const rows: number[][] = [];
  for (const [index, size] of longestFirst) {
    const room = rowsWithRoom.findIndex((open, room) => room >= size && open.length > 0);
    const row = rowsWithRoom[room]?.pop() ?? [];
    if (row.length === 0) rows.push(row);
    row.push(index);
    rowsWithRoom[(room === -1 ? length : room) - size]?.push(row);
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

/** The texts of an item, by the names under which people see them. */
export function namedTexts(item: BatchItem): readonly Example[] {
  if ('chosen' in item)
    return [
      { ...item.chosen, id: `${item.id} chosen` },
      { ...item.rejected, id: `${item.id} rejected` },
    ];
  if ('desirable' in item)
    return [{ ...item.answer, id: `${item.id} ${item.desirable ? 'desirable' : 'undesirable'}` }];
  return [item];
}

/** All texts that an item makes the model compute. */
export function textsOf(item: BatchItem): readonly Answer[] {
  if ('chosen' in item) return [item.chosen, item.rejected];
  return 'desirable' in item ? [item.answer, item.mismatched] : [item];
}
