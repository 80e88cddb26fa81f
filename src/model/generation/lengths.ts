import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { ModelConfig } from '../model-config.ts';

/**
 * The padded length of a prompt of N tokens, at most `limit`. Each length is a graph to compile, which takes as long as
 * computing about 300 tokens. Short prompts are frequent, so their steps are finer.
 */
export const promptLength = (tokens: number, limit: number): number =>
  lengthBucket(tokens, { step: tokens <= 64 ? 8 : tokens <= 128 ? 16 : 32, limit });

/** Slots for a text of N tokens, at most `limit`. */
export const slotCount = (tokens: number, limit: number): number => lengthBucket(tokens, { step: 64, limit });

/**
 * The most tokens that a text may have, prompt included. LongRoPE rotates all of a text differently once it is longer
 * than `original_max_position_embeddings`, so a text may not cross that length: its cached keys would be stale.
 */
export function longestText(config: ModelConfig, promptTokens: number): number {
  const scaling = config.rotary?.scaling;
  if (scaling?.kind !== 'longrope') return config.contextLength;
  const { originalMaxPositionEmbeddings } = scaling;
  return promptTokens <= originalMaxPositionEmbeddings
    ? Math.min(originalMaxPositionEmbeddings, config.contextLength)
    : config.contextLength;
}

/** Whether a token's keys depend on the length of its text, so that texts of different lengths cannot share a cache. */
export const isLengthBound = (config: ModelConfig): boolean =>
  ['dynamic', 'longrope'].includes(config.rotary?.scaling.kind ?? 'default');

/**
 * The padded length of a text: a multiple of `step`, at most `limit`. Few lengths mean few compiled graphs. It
 * depends on the text alone, so that a result cannot depend on the rest of the batch.
 */
export const lengthBucket = (length: number, { step, limit }: { step: number; limit: number }): number =>
  Math.min(Math.ceil(length / step) * step, limit);

/** Items in batches of one padded length, the shortest first. Throws the signal's reason between two batches. */
export async function* batchesByLength<Item>(
  items: readonly Item[],
  {
    lengthOf,
    batchSize,
    signal,
  }: {
    readonly lengthOf: (item: Item) => number;
    readonly batchSize: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<{ readonly length: number; readonly items: readonly Item[] }> {
  for (const [length, group] of groupByLength(items, lengthOf))
    for (let start = 0; start < group.length; start += batchSize) {
      await yieldToEventLoop();
      signal.throwIfAborted();
      yield { length, items: group.slice(start, start + batchSize) };
    }
}

/** Items by padded length, the shortest first; items of one length keep their order. */
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
