import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { groupByLength, lengthBucket } from './lengths.ts';
import type { PlannedTree } from './token-trees.ts';

/** The shape of a forward pass over trees with no padding between them. Only attention sees them in rows. */
export interface PassShape {
  /** Tokens of all trees together, with fillers after the last: N. */
  readonly tokens: number;
  /** Rows of a tree each: B. */
  readonly rows: number;
  /** Tokens that fit into a row: T. */
  readonly slots: number;
}

/** Trees that are computed together. */
export interface TreePass {
  readonly shape: PassShape;
  readonly planned: readonly PlannedTree[];
}

/** Trees in passes, the shortest first. Throws the signal's reason between two passes. */
export async function* passesOf(
  trees: readonly PlannedTree[],
  { batchSize, signal }: { readonly batchSize: number; readonly signal: AbortSignal },
): AsyncGenerator<TreePass> {
  for (const [slots, group] of groupByLength(trees, ({ tree }) => rowSlots(tree.ids.length))) {
    const shape = passShape(slots, batchSize);
    for (const planned of packed(group, shape)) {
      await yieldToEventLoop();
      signal.throwIfAborted();
      yield { shape, planned };
    }
  }
}

/**
 * Slots for a tree of N tokens. Only attention is padded to them, while every size is another group of passes, whose last
 * is part empty, and another graph to compile: so they are few.
 */
const rowSlots = (tokens: number): number =>
  lengthBucket(tokens, { step: slotStep(tokens), limit: Number.POSITIVE_INFINITY });

/** How far apart the sizes are by which N tokens are padded. */
const slotStep = (tokens: number): number =>
  tokens <= 64 ? 32 : Math.max(64, powerOfTwoUpTo(tokens - 1) / 2);

/**
 * Slots for a cached prefix of N tokens: four sizes for each doubling. Each size is a graph to compile for every length of
 * rows, and the cost of a masked slot is its attention alone.
 */
export const prefixSlots = (tokens: number): number =>
  lengthBucket(tokens, {
    step: Math.max(1, powerOfTwoUpTo(tokens - 1) / 4),
    limit: Number.POSITIVE_INFINITY,
  });

/** The largest power of two that is at most N, at least 2. */
const powerOfTwoUpTo = (n: number): number => 2 ** Math.max(1, Math.floor(Math.log2(Math.max(1, n))));

/** With this many tokens for each row of a batch, a processor's matrix products are nearly as fast as they get. */
const tokensPerRow = 32;

/** Long trees need room for some of them, or much of a pass would be fillers. */
const treesPerPass = 3;

/**
 * The shape of all passes over trees of these slots. It follows from the slots and the batch size alone, so that a score
 * cannot depend on other trees. A pass has no more tokens than `batchSize` full rows.
 */
function passShape(slots: number, batchSize: number): PassShape {
  const wanted = Math.max(tokensPerRow * batchSize, treesPerPass * slots);
  const most = Math.min(wanted, batchSize * slots);
  // As many rows as the shortest trees of these slots need to fill a pass.
  const shortest = slots <= 32 ? 16 : slots - slotStep(slots) + 1;
  const rows = Math.max(1, Math.floor(most / shortest));
  return { slots, rows, tokens: Math.min(most, rows * slots) };
}

/** Fills pass after pass with the longest trees that still fit. */
function* packed(trees: readonly PlannedTree[], { tokens, rows }: PassShape): Generator<PlannedTree[]> {
  const queues = groupByLength(trees, ({ tree }) => tree.ids.length)
    .toReversed()
    .map(([length, items]) => ({ length, items, taken: 0 }));
  let left = trees.length;
  while (left > 0) {
    const pass: PlannedTree[] = [];
    let room = tokens;
    for (const queue of queues) {
      const most = Math.min(rows - pass.length, Math.floor(room / queue.length));
      const some = queue.items.slice(queue.taken, queue.taken + most);
      pass.push(...some);
      queue.taken += some.length;
      room -= some.length * queue.length;
    }
    left -= pass.length;
    yield pass;
  }
}
