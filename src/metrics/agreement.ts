/**
 * Krippendorff's alpha for interval data: 1 - observed / expected disagreement, where disagreement is the squared
 * difference of two values of one unit, weighted by 1 / (m - 1) for a unit with m values (Krippendorff, Computing
 * Krippendorff's Alpha-Reliability, 2011). Every unit has at least two values; NaN if all values are equal.
 */
export function krippendorffAlpha(units: readonly (readonly number[])[]): number {
  const all = units.flat();
  const observed = units.reduce(
    (total, values) => total + squaredDifferences(values) / (values.length - 1),
    0,
  );
  const expected = squaredDifferences(all) / (all.length - 1);
  return 1 - observed / expected;
}

/** The squared differences of all ordered pairs: 2 (n sum x^2 - (sum x)^2), here about the mean for accuracy. */
function squaredDifferences(values: readonly number[]): number {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return 2 * values.length * values.reduce((total, value) => total + (value - mean) ** 2, 0);
}

/**
 * Kendall's tau-b of two lists of equal length: concordant minus discordant pairs, divided by the geometric mean of the
 * pairs that are not tied in either list. NaN if a list has no spread. O(n^2).
 */
export function kendall(xs: readonly number[], ys: readonly number[]): number {
  let agreement = 0;
  let untiedX = 0;
  let untiedY = 0;
  for (const [first, x] of xs.entries())
    for (let second = first + 1; second < xs.length; second += 1) {
      const dx = Math.sign((xs[second] ?? 0) - x);
      const dy = Math.sign((ys[second] ?? 0) - (ys[first] ?? 0));
      agreement += dx * dy;
      untiedX += Math.abs(dx);
      untiedY += Math.abs(dy);
    }
  return agreement / Math.sqrt(untiedX * untiedY);
}

/** Pearson's correlation of two lists of equal length; NaN if either has no spread, as in scipy. */
export function pearson(xs: readonly number[], ys: readonly number[]): number {
  const x = deviations(xs);
  const y = deviations(ys);
  const covariance = dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  return Number.isNaN(covariance) ? covariance : Math.max(-1, Math.min(1, covariance));
}

function deviations(values: readonly number[]): readonly number[] {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return values.map((value) => value - mean);
}

const dot = (xs: readonly number[], ys: readonly number[]): number =>
  xs.reduce((total, x, index) => total + x * (ys[index] ?? 0), 0);

/** Spearman's correlation: Pearson's correlation of the ranks. */
export const spearman = (xs: readonly number[], ys: readonly number[]): number =>
  pearson(ranks(xs), ranks(ys));

/** The rank of each value, from 1 for the smallest; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): readonly number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const result = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end += 1;
    for (const index of order.slice(start, end)) result[index] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}
