import { assignByOrder } from './assign-by-order.ts';
import { hashPosition } from './hash-position.ts';
import type { Part } from './parts.ts';

export interface StratumMember {
  /** Of its own among the members. */
  readonly key: string;
  readonly stratum: string;
}

/**
 * The part of each member, in order. Within each stratum of n a part takes floor(n x share), drawn by a hash of seed and
 * key, and one the remainder, so that every part has the strata in the shares that the whole has them.
 */
export function assignByStratum(
  members: readonly StratumMember[],
  { parts, seed }: { readonly parts: readonly Part[]; readonly seed: number },
): readonly string[] {
  const strata = new Map<string, { readonly index: number; readonly place: number }[]>();
  for (const [index, { key, stratum }] of members.entries()) {
    const drawn = { index, place: hashPosition(key, seed) };
    const others = strata.get(stratum);
    if (others === undefined) strata.set(stratum, [drawn]);
    else others.push(drawn);
  }
  const assigned = new Array<string>(members.length).fill('');
  for (const drawn of strata.values()) {
    const names = assignByOrder(drawn.length, parts);
    drawn.sort((a, b) => a.place - b.place);
    for (const [order, { index }] of drawn.entries()) assigned[index] = names[order] ?? '';
  }
  return assigned;
}
