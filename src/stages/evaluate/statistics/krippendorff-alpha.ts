/**
 * Krippendorff's alpha for interval data: 1 - observed / expected disagreement, where disagreement is the squared
 * difference of two values of one unit, weighted by 1 / (m - 1) for a unit with m values (Krippendorff, Computing
 * Krippendorff's Alpha-Reliability, 2011). Every unit has two values at least; NaN where all values are equal.
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
