import { ignoredTarget } from '../batches/pad-batch.ts';

export interface CountedRows {
  /** Places of the targets that count; filled up with place 0. */
  readonly places: Int32Array;
  /** The targets there; -100 for the filling. */
  readonly targets: Int32Array;
}

/** Their number is rounded up to so many parts of all targets, because every other number is another shape to compile. */
const parts = 8;

/** The targets that count among all, for computing the vocabulary's logits there alone. */
export function countedRows(all: Int32Array): CountedRows {
  const counted = Array.from(all.keys()).filter((place) => all[place] !== ignoredTarget);
  const part = Math.ceil(all.length / parts);
  const length = Math.min(all.length, part * Math.ceil(counted.length / part));
  const places = new Int32Array(length);
  const targets = new Int32Array(length).fill(ignoredTarget);
  for (const [row, place] of counted.entries()) {
    places[row] = place;
    targets[row] = all[place] ?? ignoredTarget;
  }
  return { places, targets };
}
