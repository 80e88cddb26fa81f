import type { Example, TargetedText } from './batch-plan.ts';

/** A batch, split into one or more micro-batches whose gradients are accumulated. */
export interface Batch {
  /** Those with a target; the others contribute nothing. */
  readonly microBatches: readonly MicroBatch[];
  /** Input tokens without padding, over all micro-batches. */
  readonly tokens: number;
  /** Unmasked targets, over all micro-batches. */
  readonly targetCount: number;
}

export type MicroBatch = PaddedBatch | PackedBatch;

export interface BatchLayout extends Padding, Packing {
  /** Whether examples are computed one after the other without padding. */
  readonly paddingFree?: boolean;
  /** The most examples in a micro-batch; the whole batch if undefined. */
  readonly microBatchSize: number | undefined;
}

/** Splits a batch into micro-batches. */
export function splitBatch(examples: readonly Example[], layout: BatchLayout): Batch {
  const { microBatchSize: size = examples.length } = layout;
  const all = Array.from({ length: Math.ceil(examples.length / size) }, (_, index) =>
    layOut(examples.slice(index * size, (index + 1) * size), layout),
  );
  return {
    microBatches: all.filter(({ targetCount }) => targetCount > 0),
    tokens: all.reduce((sum, { tokens }) => sum + tokens, 0),
    targetCount: all.reduce((sum, { targetCount }) => sum + targetCount, 0),
  };
}

/** Texts that are computed together. */
export const layOut = (texts: readonly TargetedText[], layout: BatchLayout): MicroBatch =>
  layout.paddingFree ? packBatch(texts, layout) : padBatch(texts, layout);

/** The position of a text's token in its micro-batch. */
export const positionOf = (
  batch: MicroBatch,
  { row, index }: { readonly row: number; readonly index: number },
): number => {
  const slot = row * batch.length + index;
  return batch.layout === 'padded' ? slot : (batch.tokenOfSlot[slot] ?? 0);
};

/** The target of a masked position, where nothing is learned, as in PyTorch's cross-entropy. */
export const ignoredTarget = -100;

/** Examples side by side, padded on the right: under a causal mask no token attends to the padding after it. */
interface PaddedBatch {
  readonly layout: 'padded';
  readonly rows: number;
  readonly length: number;
  /** [rows, length], padded with the end-of-text id. */
  readonly inputs: Int32Array;
  /** [rows, length], -100 where nothing is learned. */
  readonly targets: Int32Array;
  /** [rows]: the tokens of each example. */
  readonly lengths: Int32Array;
  /** Input tokens without padding. */
  readonly tokens: number;
  /** Unmasked targets. */
  readonly targetCount: number;
}

interface Padding {
  readonly endOfText: number;
  /** The length is rounded up to a multiple of this, but not beyond `maxLength`. */
  readonly multipleOf?: number;
  readonly maxLength?: number;
}

export function padBatch(examples: readonly TargetedText[], padding: Padding): PaddedBatch {
  const { endOfText, multipleOf = 1, maxLength = Number.POSITIVE_INFINITY } = padding;
  const rows = examples.length;
  const longest = examples.reduce((most, { inputs }) => Math.max(most, inputs.length), 0);
  const rounded = Math.ceil(longest / multipleOf) * multipleOf;
  const length = Math.max(longest, Math.min(rounded, maxLength));
  const inputs = new Int32Array(rows * length).fill(endOfText);
  const targets = new Int32Array(rows * length).fill(ignoredTarget);
  let tokens = 0;
  for (const [row, example] of examples.entries()) {
    inputs.set(example.inputs, row * length);
    targets.set(example.targets, row * length);
    tokens += example.inputs.length;
  }
  const lengths = Int32Array.from(examples, (example) => example.inputs.length);
  return {
    layout: 'padded',
    rows,
    length,
    inputs,
    targets,
    lengths,
    tokens,
    targetCount: unmaskedCount(targets),
  };
}

/** Examples one after the other without padding; only attention sees each in its own row. */
interface PackedBatch {
  readonly layout: 'packed';
  /** Rows of attention, one per example. */
  readonly rows: number;
  /** Slots in each row. */
  readonly length: number;
  /** [N], padded with the end-of-text id. */
  readonly inputs: Int32Array;
  /** [N], -100 where nothing is learned. */
  readonly targets: Int32Array;
  /** [N], from 0 in every example. */
  readonly positions: Int32Array;
  /** [N] */
  readonly textLengths: Int32Array;
  /** [rows, length] */
  readonly tokenOfSlot: Int32Array;
  /** [N] */
  readonly slotOfToken: Int32Array;
  /** Input tokens without fillers. */
  readonly tokens: number;
  /** Unmasked targets. */
  readonly targetCount: number;
}

interface Packing {
  readonly endOfText: number;
  /** Lengths are rounded up to a multiple of this, and the number of tokens to a multiple of its double. */
  readonly multipleOf?: number;
  /** The number of rows is rounded up to a multiple of this. */
  readonly rowsMultipleOf?: number;
}

/** There is always a filler token and an empty slot: empty slots map to the filler, and fillers to an empty slot. */
export function packBatch(examples: readonly TargetedText[], packing: Packing): PackedBatch {
  const { endOfText, multipleOf = 1, rowsMultipleOf = 1 } = packing;
  const tokens = examples.reduce((sum, { inputs }) => sum + inputs.length, 0);
  const size = roundUp(tokens + 1, 2 * multipleOf);
  const rows = roundUp(examples.length, rowsMultipleOf);
  const longest = examples.reduce((most, { inputs }) => Math.max(most, inputs.length), 0);
  const full = roundUp(longest, multipleOf);
  const length = rows * full > tokens ? full : full + multipleOf;
  const inputs = new Int32Array(size).fill(endOfText);
  const targets = new Int32Array(size).fill(ignoredTarget);
  const [positions, textLengths] = [new Int32Array(size), new Int32Array(size).fill(1)];
  const tokenOfSlot = new Int32Array(rows * length).fill(tokens);
  const slotOfToken = new Int32Array(size);
  let start = 0;
  for (const [row, example] of examples.entries()) {
    const own = example.inputs.length;
    inputs.set(example.inputs, start);
    targets.set(example.targets, start);
    textLengths.fill(own, start, start + own);
    for (let index = 0; index < own; index++) {
      positions[start + index] = index;
      tokenOfSlot[row * length + index] = start + index;
      slotOfToken[start + index] = row * length + index;
    }
    start += own;
  }
  slotOfToken.fill(tokenOfSlot.indexOf(tokens), tokens);
  return {
    ...{ layout: 'packed', rows, length, inputs, targets, positions, textLengths, tokenOfSlot, slotOfToken },
    ...{ tokens, targetCount: unmaskedCount(targets) },
  };
}

const unmaskedCount = (targets: Int32Array): number =>
  targets.reduce((count, target) => count + Number(target !== ignoredTarget), 0);

const roundUp = (count: number, multiple: number): number => Math.ceil(count / multiple) * multiple;
