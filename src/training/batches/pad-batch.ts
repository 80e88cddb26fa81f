import type { Example } from './example.ts';

/** A target where nothing is learnt, as in PyTorch's cross-entropy. */
export const ignoredTarget = -100;

/** Examples side by side, padded on the right: under a causal mask no token ever looks at the padding behind it. */
export interface PaddedBatch {
  readonly layout: 'padded';
  readonly rows: number;
  readonly width: number;
  /** [rows, width], padded with the end-of-text id. */
  readonly inputs: Int32Array;
  /** [rows, width], -100 where nothing is learnt. */
  readonly targets: Int32Array;
  /** [rows]: each example's tokens. */
  readonly lengths: Int32Array;
  /** Input tokens without the padding. */
  readonly tokens: number;
  /** Targets that are learnt. */
  readonly targetCount: number;
}

export interface Padding {
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
