import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** Two pieces have as many tokens together as apart, but for a few where they meet. */
const joint = 4;
/** Pieces that come again, such as shots, are counted once. */
const mostRemembered = 10_000;

/**
 * Whether texts, given in pieces, have at most so many tokens. A text is encoded as a whole only where the sum of its
 * pieces leaves that open.
 */
export function tokenBudget(
  { encode }: Pick<Tokenizer, 'encode'>,
  most: number,
): (pieces: readonly string[]) => boolean {
  const counts = new Map<string, number>();
  const countOf = (piece: string): number => {
    const known = counts.get(piece);
    if (known !== undefined) return known;
    const count = encode(piece).length;
    if (counts.size >= mostRemembered) counts.clear();
    counts.set(piece, count);
    return count;
  };
  return (pieces) => {
    const sum = pieces.reduce((total, piece) => total + countOf(piece), 0);
    if (Math.abs(sum - most) > joint * pieces.length) return sum < most;
    return encode(pieces.join('')).length <= most;
  };
}
