import { bestFitRows } from './best-fit-rows.ts';
import type { BatchRecipe, Example } from './example.ts';
import { shuffled } from './shuffled.ts';

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
