import { isConnected, type WinTable } from './win-table.ts';

const SCALE = 400;
const START = 1000;
const MOST_ROUNDS = 100_000;
const PRECISION = 1e-10;

/**
 * The maximum likelihood ratings of P(i beats j) = 1 / (1 + 10 ** ((r_j - r_i) / 400)), with a mean of 1000; undefined
 * where there are none that are finite. Minorization-maximization: strength_i = wins_i / sum_j n_ij / (strength_i +
 * strength_j) (Hunter, MM Algorithms for Generalized Bradley-Terry Models, 2004).
 */
export function bradleyTerry(table: WinTable): readonly number[] | undefined {
  if (!isConnected(table)) return undefined;
  const games = table.map((row, i) => row.map((wins, j) => wins + (table[j]?.[i] ?? 0)));
  const wins = table.map((row) => row.reduce((total, count) => total + count, 0));
  let logs: readonly number[] = table.map(() => 0);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const next = centred(improved(logs.map(Math.exp), { games, wins }).map(Math.log));
    const change = Math.max(...next.map((value, index) => Math.abs(value - (logs[index] ?? 0))));
    logs = next;
    if (change < PRECISION) break;
  }
  return logs.map((value) => START + (SCALE * value) / Math.LN10);
}

interface Results {
  readonly games: WinTable;
  readonly wins: readonly number[];
}

function improved(strengths: readonly number[], { games, wins }: Results): readonly number[] {
  return strengths.map((own, i) => {
    const expected = strengths.reduce((total, other, j) => {
      const played = games[i]?.[j] ?? 0;
      return played === 0 ? total : total + played / (own + other);
    }, 0);
    return (wins[i] ?? 0) / expected;
  });
}

function centred(logs: readonly number[]): readonly number[] {
  const mean = logs.reduce((total, value) => total + value, 0) / logs.length;
  return logs.map((value) => value - mean);
}
