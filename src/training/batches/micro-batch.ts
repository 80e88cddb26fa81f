import type { Example } from './example.ts';

/** A batch as it is computed: in one piece, or in several, one after the other, whose gradients add up. */
export interface BatchPieces {
  /** Those that have a target; a piece without one adds nothing. */
  readonly pieces: readonly BatchPiece[];
  /** Input tokens without the padding, in all pieces. */
  readonly tokens: number;
  /** Targets that are learned, in all pieces. */
  readonly targetCount: number;
}

export type BatchPiece = PaddedBatch | PackedBatch;

export interface Slicing extends Padding, Packing {
  /** Whether rows are computed one after the other without padding. */
  readonly paddingFree?: boolean;
  /** The most examples in one piece; all where absent. */
  readonly pieceSize: number | undefined;
}

export function batchPieces(examples: readonly Example[], slicing: Slicing): BatchPieces {
  const { pieceSize = examples.length, paddingFree = false } = slicing;
  const layOut = paddingFree ? packBatch : padBatch;
  const all = Array.from({ length: Math.ceil(examples.length / pieceSize) }, (_, piece) =>
    layOut(examples.slice(piece * pieceSize, (piece + 1) * pieceSize), slicing),
  );
  return {
    pieces: all.filter(({ targetCount }) => targetCount > 0),
    tokens: all.reduce((sum, { tokens }) => sum + tokens, 0),
    targetCount: all.reduce((sum, { targetCount }) => sum + targetCount, 0),
  };
}

/** A target where nothing is learned, as in PyTorch's cross-entropy. */
export const ignoredTarget = -100;

/** Examples side by side, padded on the right: under a causal mask no token ever looks at the padding behind it. */
interface PaddedBatch {
  readonly layout: 'padded';
  readonly rows: number;
  readonly width: number;
  /** [rows, width], padded with the end-of-text id. */
  readonly inputs: Int32Array;
  /** [rows, width], -100 where nothing is learned. */
  readonly targets: Int32Array;
  /** [rows]: each example's tokens. */
  readonly lengths: Int32Array;
  /** Input tokens without the padding. */
  readonly tokens: number;
  /** Targets that are learned. */
  readonly targetCount: number;
}

interface Padding {
  readonly endOfText: number;
  /** The width is rounded up to a multiple of this, though never beyond `maximumWidth`. */
  readonly multipleOf?: number;
  readonly maximumWidth?: number;
}

export function padBatch(examples: readonly Example[], padding: Padding): PaddedBatch {
  const { endOfText, multipleOf = 1, maximumWidth = Number.POSITIVE_INFINITY } = padding;
  const rows = examples.length;
  const longest = examples.reduce((most, { inputs }) => Math.max(most, inputs.length), 0);
  const rounded = Math.ceil(longest / multipleOf) * multipleOf;
  const width = Math.max(longest, Math.min(rounded, maximumWidth));
  const inputs = new Int32Array(rows * width).fill(endOfText);
  const targets = new Int32Array(rows * width).fill(ignoredTarget);
  let tokens = 0;
  for (const [row, example] of examples.entries()) {
    inputs.set(example.inputs, row * width);
    targets.set(example.targets, row * width);
    tokens += example.inputs.length;
  }
  const targetCount = targets.reduce((count, target) => count + Number(target !== ignoredTarget), 0);
  const lengths = Int32Array.from(examples, (example) => example.inputs.length);
  return { layout: 'padded', rows, width, inputs, targets, lengths, tokens, targetCount };
}

/** Examples one after the other without padding; attention alone sees each in a row of its own. */
interface PackedBatch {
  readonly layout: 'packed';
  /** Rows of attention, one an example. */
  readonly rows: number;
  /** Slots in each row. */
  readonly width: number;
  /** [N], filled up with the end-of-text id. */
  readonly inputs: Int32Array;
  /** [N], -100 where nothing is learned. */
  readonly targets: Int32Array;
  /** [N], from 0 in every example. */
  readonly positions: Int32Array;
  /** [N] */
  readonly textLengths: Int32Array;
  /** [rows, width] */
  readonly tokenOfSlot: Int32Array;
  /** [N] */
  readonly slotOfToken: Int32Array;
  /** Input tokens without the fillers. */
  readonly tokens: number;
  /** Targets that are learned. */
  readonly targetCount: number;
}

interface Packing {
  readonly endOfText: number;
  /** Widths are rounded up to a multiple of this, and the number of tokens to a multiple of its double. */
  readonly multipleOf?: number;
  /** The number of rows is rounded up to a multiple of this. */
  readonly rowsMultipleOf?: number;
}

/** There is always a filler token and an empty slot, so that each of the two has a place to stand for in the other. */
export function packBatch(examples: readonly Example[], packing: Packing): PackedBatch {
  const { endOfText, multipleOf = 1, rowsMultipleOf = 1 } = packing;
  const tokens = examples.reduce((sum, { inputs }) => sum + inputs.length, 0);
  const size = roundUp(tokens + 1, 2 * multipleOf);
  const rows = roundUp(examples.length, rowsMultipleOf);
  const longest = examples.reduce((most, { inputs }) => Math.max(most, inputs.length), 0);
  const full = roundUp(longest, multipleOf);
  const width = rows * full > tokens ? full : full + multipleOf;
  const inputs = new Int32Array(size).fill(endOfText);
  const targets = new Int32Array(size).fill(ignoredTarget);
  const [positions, textLengths] = [new Int32Array(size), new Int32Array(size).fill(1)];
  const tokenOfSlot = new Int32Array(rows * width).fill(tokens);
  const slotOfToken = new Int32Array(size);
  let start = 0;
  for (const [row, example] of examples.entries()) {
    const { length } = example.inputs;
    inputs.set(example.inputs, start);
    targets.set(example.targets, start);
    textLengths.fill(length, start, start + length);
    for (let place = 0; place < length; place++) {
      positions[start + place] = place;
      tokenOfSlot[row * width + place] = start + place;
      slotOfToken[start + place] = row * width + place;
    }
    start += length;
  }
  slotOfToken.fill(tokenOfSlot.indexOf(tokens), tokens);
  const targetCount = targets.reduce((count, target) => count + Number(target !== ignoredTarget), 0);
  return {
    layout: 'packed',
    ...{
      rows,
      width,
      inputs,
      targets,
      positions,
      textLengths,
      tokenOfSlot,
      slotOfToken,
      tokens,
      targetCount,
    },
  };
}

const roundUp = (count: number, multiple: number): number => Math.ceil(count / multiple) * multiple;
