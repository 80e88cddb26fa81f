import type { Example } from './example.ts';
import { ignoredTarget } from './pad-batch.ts';

/** Examples one after the other without padding; attention alone sees each in a row of its own. */
export interface PackedBatch {
  readonly layout: 'packed';
  /** Rows of attention, one an example. */
  readonly rows: number;
  /** Slots in each row. */
  readonly width: number;
  /** [N], filled up with the end-of-text id. */
  readonly inputs: Int32Array;
  /** [N], -100 where nothing is learnt. */
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
  /** Targets that are learnt. */
  readonly targetCount: number;
}

export interface Packing {
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
