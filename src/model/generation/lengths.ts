import type { ModelConfig } from '../model-config.ts';

/**
 * The padded length for a prompt of so many tokens, at most `limit`. Each length is a graph to compile, which takes as
 * long as reading some 300 tokens: short prompts, of which there are many, get finer steps.
 */
export const promptLength = (tokens: number, limit: number): number =>
  lengthBucket(tokens, { step: tokens <= 64 ? 8 : tokens <= 128 ? 16 : 32, limit });

/** Room for a text of so many tokens, at most `limit`. */
export const slotCount = (tokens: number, limit: number): number => lengthBucket(tokens, { step: 64, limit });

/**
 * The most tokens that a text may have when it is written on from a prompt. LongRoPE turns all of a text differently once
 * it is longer than the model's first training: a cache that was filled before would be of no use after.
 */
export function longestText(config: ModelConfig, promptTokens: number): number {
  if (config.family !== 'llama' || config.rotary.scaling.kind !== 'longrope') return config.contextLength;
  const { originalMaxPositionEmbeddings } = config.rotary.scaling;
  return promptTokens <= originalMaxPositionEmbeddings
    ? Math.min(originalMaxPositionEmbeddings, config.contextLength)
    : config.contextLength;
}

/**
 * The padded length for a text of that many tokens: a multiple of `step`, at most `limit`. Few lengths mean few compiled
 * graphs; a function of the text alone, so that a result cannot depend on what else is in the batch.
 */
export const lengthBucket = (length: number, { step, limit }: { step: number; limit: number }): number =>
  Math.min(Math.ceil(length / step) * step, limit);

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
