const most = 1_000_000;

/** Jinja's `range`, which writes its numbers out into memory, within limits. */
export function boundedRange(first: number, second?: number | null, step = 1): readonly number[] {
  const [start, stop] = second === undefined || second === null ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (Number.isNaN(count) || step === 0)
    throw new Error('range() takes whole numbers, and a step that is not 0');
  if (count > most) throw new Error(`range() makes at most ${most} numbers here, not ${count}`);
  return Array.from({ length: count }, (_, index) => start + index * step);
}
