import type { BatchRecipe, Example } from './example.ts';
import { shuffled } from './shuffled.ts';

export interface EpochOfExamples {
  readonly examples: readonly Example[];
  readonly recipe: BatchRecipe;
  readonly epoch: number;
}

/** Which examples make up which batch of an epoch: a function of the examples, the recipe and the epoch alone. */
export function exampleGroups({ examples, recipe, epoch }: EpochOfExamples): readonly (readonly Example[])[] {
  const ordered = recipe.shuffle ? shuffled({ items: examples, seed: recipe.seed, epoch }) : examples;
  return Array.from({ length: groupCount(examples.length, recipe) }, (_, group) =>
    ordered.slice(group * recipe.batchSize, (group + 1) * recipe.batchSize),
  );
}

/** How many batches an epoch has. */
export function groupCount(examples: number, { batchSize, dropLast }: BatchRecipe): number {
  return dropLast ? Math.floor(examples / batchSize) : Math.ceil(examples / batchSize);
}
