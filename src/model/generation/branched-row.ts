import { HIDDEN_SCORE } from '../attend-rows.ts';
import type { RatedToken } from './rate-tokens.ts';

/** A context and continuations of it, of which no one sees another: a tree of texts in one row. */
export interface Branches {
  readonly context: Int32Array;
  /** At least one token each. */
  readonly continuations: readonly Int32Array[];
  /** So many of the context's first tokens are not in the row, but in a cache; fewer than it has. */
  readonly cached: number;
}

/** The tokens that a model has to read to rate every continuation: the context once, then each but for its last token. */
export interface BranchedRow {
  readonly ids: Int32Array;
  /** Each token's place in its own text. */
  readonly positions: Int32Array;
  /** Which tokens see each other: 0 for the context, which all see, then a number a continuation. */
  readonly branches: Int32Array;
  /** For each continuation its tokens, with the places in the row that predict them. */
  readonly rated: readonly (readonly RatedToken[])[];
}

export function branchedRow({ context, continuations, cached }: Branches): BranchedRow {
  const own = context.subarray(cached);
  const ids: number[] = [...own];
  const positions = ids.map((_, index) => cached + index);
  const branches = ids.map(() => 0);
  const rated = continuations.map((continuation, branch) =>
    Array.from(continuation, (target, index) => {
      const place = index === 0 ? own.length - 1 : ids.length - 1;
      if (index < continuation.length - 1) {
        ids.push(target);
        positions.push(context.length + index);
        branches.push(branch + 1);
      }
      return { target, place };
    }),
  );
  return {
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    branches: Int32Array.from(branches),
    rated,
  };
}

export interface MaskShape {
  /** The row is padded to so many tokens, T. */
  readonly length: number;
  /** How many tokens of its own text a token looks back on, itself included. */
  readonly window: number;
}

/** [T, T]: 0 where a token looks, HIDDEN_SCORE elsewhere. */
export function branchedMask(
  { branches, positions }: Pick<BranchedRow, 'branches' | 'positions'>,
  { length, window }: MaskShape,
): Float32Array {
  const mask = new Float32Array(length * length).fill(HIDDEN_SCORE);
  for (let query = 0; query < length; query++) {
    mask[query * length + query] = 0;
    const [branch, position = 0] = [branches[query], positions[query]];
    if (branch === undefined) continue;
    for (let key = 0; key < query; key++) {
      const isOfText = branches[key] === 0 || branches[key] === branch;
      if (isOfText && position - (positions[key] ?? 0) < window) mask[query * length + key] = 0;
    }
  }
  return mask;
}
