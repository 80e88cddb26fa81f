import { type CodedBattles, countedCodes } from './coded-battles.ts';

/** table[i][j]: how often model i won against model j, a tie counting half for each. */
export type WinTable = readonly (readonly number[])[];

export function winTable(battles: CodedBattles): WinTable {
  const { models, a, b, outcome } = battles;
  const table = Array.from({ length: models }, () => new Array<number>(models).fill(0));
  const add = (winner: number, loser: number, wins: number): void => {
    const row = table[winner];
    if (row !== undefined) row[loser] = (row[loser] ?? 0) + wins;
  };
  for (const [code, count] of countedCodes(battles).entries()) {
    const [one, other, share] = [a[code] ?? 0, b[code] ?? 0, outcome[code] ?? 0];
    add(one, other, share * count);
    add(other, one, (1 - share) * count);
  }
  return table;
}

/**
 * Whether Bradley-Terry ratings are finite: every model leads to every other along wins (Ford, Solution of a
 * Ranking Problem from Binary Comparisons, 1957).
 */
export function isConnected(table: WinTable): boolean {
  const reaches = (beats: (from: number, to: number) => boolean): boolean => {
    const seen = new Set([0]);
    // A set shows what is added while it is gone through.
    for (const from of seen)
      for (const to of table.keys()) if (!seen.has(to) && beats(from, to)) seen.add(to);
    return seen.size === table.length;
  };
  const wins = (winner: number, loser: number): boolean => (table[winner]?.[loser] ?? 0) > 0;
  return reaches(wins) && reaches((from, to) => wins(to, from));
}
