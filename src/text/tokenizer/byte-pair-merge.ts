/** Which adjacent tokens can be joined. */
export interface PairRanks {
  /** The rank of a pair, below 2^26: the lowest is joined first. Undefined if the two cannot be joined. */
  readonly rankOf: (left: number, right: number) => number | undefined;
  /** The token that a pair of this rank becomes. */
  readonly joined: (rank: number) => number;
}

const noRank = -1;

/**
 * Joins the pair of the lowest rank, the first of equals, until no pair can be joined. Pairs wait in a heap, so that a
 * text of n tokens takes O(n log n).
 */
export function mergePairs(tokens: ArrayLike<number>, { rankOf, joined }: PairRanks): readonly number[] {
  const { length } = tokens;
  const ids = Int32Array.from(tokens);
  const next = Int32Array.from(ids, (_, at) => at + 1);
  const previous = Int32Array.from(ids, (_, at) => at - 1);
  /** By the position of a pair's left token. */
  const ranks = new Int32Array(length).fill(noRank);
  const heap = new MinHeap();
  const rankPair = (left: number): void => {
    const right = next[left] ?? length;
    const rank = right < length ? rankOf(ids[left] ?? 0, ids[right] ?? 0) : undefined;
    ranks[left] = rank ?? noRank;
    if (rank !== undefined) heap.push(rank * positions + left);
  };
  for (let at = 0; at + 1 < length; at++) rankPair(at);
  for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
    const left = key % positions;
    const rank = (key - left) / positions;
    if (ranks[left] !== rank) continue; // one of the two has been joined with another since
    const right = next[left] ?? length;
    const after = next[right] ?? length;
    ids[left] = joined(rank);
    ranks[right] = noRank;
    next[left] = after;
    if (after < length) previous[after] = left;
    rankPair(left);
    const before = previous[left] ?? noRank;
    if (before >= 0) rankPair(before);
  }
  const merged: number[] = [];
  for (let at = 0; at < length; at = next[at] ?? length) merged.push(ids[at] ?? 0);
  return merged;
}

/** A pair's key in the heap is its rank times this, plus its position. */
const positions = 2 ** 27;

class MinHeap {
  readonly #keys: number[] = [];

  push(key: number): void {
    const keys = this.#keys;
    let at = keys.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = keys[parent] ?? 0;
      if (above <= key) break;
      keys[at] = above;
      at = parent;
    }
    keys[at] = key;
  }

  /** Removes the lowest key; undefined if there is none. */
  pop(): number | undefined {
    const keys = this.#keys;
    const lowest = keys[0];
    const last = keys.pop();
    const { length } = keys;
    if (last === undefined || length === 0) return lowest;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && (keys[child + 1] ?? 0) < (keys[child] ?? 0)) child += 1;
      const below = keys[child] ?? 0;
      if (last <= below) break;
      keys[at] = below;
      at = child;
    }
    keys[at] = last;
    return lowest;
  }
}
