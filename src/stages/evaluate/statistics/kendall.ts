/**
 * Kendall's tau-b of two lists of one length: concordant less discordant pairs, over the geometric mean of the
 * pairs that are not tied in either list. NaN where a list has no spread. Looks at every pair.
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
