/**
 * The merges that make up a vocabulary of byte pairs: a token's last merge joins the two parts that its bytes come to by
 * the merges before it. Tokens are in the byte-level alphabet, in the order of their ranks.
 */
export function mergesOfRanks(
  tokens: readonly string[],
): readonly (readonly [left: string, right: string])[] {
  const ranks = new Map(tokens.map((token, rank) => [token, rank]));
  return tokens.flatMap((token, rank) => {
    if (token.length < 2) return [];
    const parts = mergeBelow([...token], { ranks, limit: rank });
    const [left, right, ...more] = parts;
    return left !== undefined && right !== undefined && more.length === 0 ? [[left, right] as const] : [];
  });
}

/** Joins the neighbours of the lowest rank again and again, as long as there are some below the limit. */
function mergeBelow(
  symbols: readonly string[],
  { ranks, limit }: { ranks: ReadonlyMap<string, number>; limit: number },
): readonly string[] {
  let parts = symbols;
  for (;;) {
    let best = { rank: limit, at: -1 };
    for (let at = 0; at + 1 < parts.length; at++) {
      const rank = ranks.get(`${parts[at]}${parts[at + 1]}`) ?? limit;
      if (rank < best.rank) best = { rank, at };
    }
    if (best.at < 0) return parts;
    const joined = `${parts[best.at]}${parts[best.at + 1]}`;
    parts = [...parts.slice(0, best.at), joined, ...parts.slice(best.at + 2)];
  }
}
