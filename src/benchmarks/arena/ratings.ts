/** One vote between two models, given by their indices in the list of models. */
export interface Battle {
  readonly a: number;
  readonly b: number;
  /** 1 if a won, 0 if b did, 0.5 for a tie. */
  readonly outcome: number;
}

export interface Battles {
  /** In the order of their first battles. */
  readonly models: readonly string[];
  readonly battles: readonly Battle[];
}

/** Battles as numbers: equal battles have equal codes, so that a million can be counted and resampled quickly. */
export interface CodedBattles {
  readonly models: number;
  /** [battles] */
  readonly codes: Int32Array;
  /** For each code the two models and the outcome for a: 1, 0.5 or 0. */
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly outcome: Float64Array;
}

export function codedBattles({ models: { length: models }, battles }: Battles): CodedBattles {
  const known = models * models * 3;
  const a = Int32Array.from({ length: known }, (_, code) => Math.floor(code / 3 / models));
  const b = Int32Array.from({ length: known }, (_, code) => Math.floor(code / 3) % models);
  const outcome = Float64Array.from({ length: known }, (_, code) => (code % 3) / 2);
  const codes = Int32Array.from(battles, (battle) => (battle.a * models + battle.b) * 3 + 2 * battle.outcome);
  return { models, codes, a, b, outcome };
}

/** How often each code occurs. */
export function countedCodes({ codes, a }: CodedBattles): Int32Array {
  const counts = new Int32Array(a.length);
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

/** table[i][j]: how often model i beat model j; a tie counts half for each. */
type WinTable = readonly (readonly number[])[];

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
function isConnected(table: WinTable): boolean {
  const reaches = (beats: (from: number, to: number) => boolean): boolean => {
    const seen = new Set([0]);
    // Iterating a set also visits what is added on the way.
    for (const from of seen)
      for (const to of table.keys()) if (!seen.has(to) && beats(from, to)) seen.add(to);
    return seen.size === table.length;
  };
  const wins = (winner: number, loser: number): boolean => (table[winner]?.[loser] ?? 0) > 0;
  return reaches(wins) && reaches((from, to) => wins(to, from));
}

const SCALE = 400;
const START = 1000;
const MOST_ROUNDS = 100_000;
const PRECISION = 1e-10;

/**
 * The maximum likelihood ratings of P(i beats j) = 1 / (1 + 10 ** ((r_j - r_i) / 400)), with a mean of 1000; undefined
 * if they are not finite. Minorization-maximization: strength_i = wins_i / sum_j n_ij / (strength_i +
 * strength_j) (Hunter, MM Algorithms for Generalized Bradley-Terry Models, 2004).
 */
export function bradleyTerry(table: WinTable): readonly number[] | undefined {
  if (!isConnected(table)) return undefined;
  const games = table.map((row, i) => row.map((wins, j) => wins + (table[j]?.[i] ?? 0)));
  const wins = table.map((row) => row.reduce((total, count) => total + count, 0));
  let logs: readonly number[] = table.map(() => 0);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const next = centered(improved(logs.map(Math.exp), { games, wins }).map(Math.log));
    const change = Math.max(...next.map((value, index) => Math.abs(value - (logs[index] ?? 0))));
    logs = next;
    if (change < PRECISION) break;
  }
  return logs.map((value) => START + (SCALE * value) / Math.LN10);
}

function improved(
  strengths: readonly number[],
  { games, wins }: { readonly games: WinTable; readonly wins: readonly number[] },
): readonly number[] {
  return strengths.map((own, i) => {
    const expected = strengths.reduce((total, other, j) => {
      const played = games[i]?.[j] ?? 0;
      return played === 0 ? total : total + played / (own + other);
    }, 0);
    return (wins[i] ?? 0) / expected;
  });
}

function centered(logs: readonly number[]): readonly number[] {
  const mean = logs.reduce((total, value) => total + value, 0) / logs.length;
  return logs.map((value) => value - mean);
}

const K = 4;
/** Base 10 and a scale of 400. */
const STEEPNESS = Math.LN10 / 400;

/** Elo ratings after all battles, in their order: K 4, base 10, scale 400, start 1000. */
export function elo({ models, codes, a, b, outcome }: CodedBattles): readonly number[] {
  const ratings = new Float64Array(models).fill(START);
  for (const code of codes) {
    const one = a[code] ?? 0;
    const other = b[code] ?? 0;
    const own = ratings[one] ?? START;
    const theirs = ratings[other] ?? START;
    const update = K * ((outcome[code] ?? 0) - 1 / (1 + Math.exp(STEEPNESS * (theirs - own))));
    ratings[one] = own + update;
    ratings[other] = theirs - update;
  }
  return [...ratings];
}
