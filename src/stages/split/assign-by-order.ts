import type { Part } from './parts.ts';

/** Shares are decimals: 0.29 of 100 is 29, although 0.29 * 100 is a little less in floating point. */
const rounding = 1e-9;

/** The part of each of `count` records in order: a part takes floor(count x share) of them, one the remainder. */
export function assignByOrder(count: number, parts: readonly Part[]): readonly string[] {
  const sizes = parts.map(({ share }) => (share === 'rest' ? 0 : Math.floor(count * share + rounding)));
  const remainder = count - sizes.reduce((sum, size) => sum + size, 0);
  return parts.flatMap(({ name, share }, index) =>
    new Array<string>(share === 'rest' ? remainder : (sizes[index] ?? 0)).fill(name),
  );
}
