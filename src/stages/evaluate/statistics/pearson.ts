/** Pearson's correlation of two lists of one length; NaN where either has no spread, as in scipy. */
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
