import type { Battle } from './battle.ts';

const K = 4;
/** Base 10 and a scale of 400. */
const STEEPNESS = Math.LN10 / 400;
const START = 1000;

/** Elo ratings after the battles, one after another: K 4, base 10, scale 400, start 1000. The order matters. */
export function elo(models: number, battles: Iterable<Battle>): readonly number[] {
  const ratings = new Array<number>(models).fill(START);
  for (const { a, b, outcome } of battles) {
    const difference = (ratings[b] ?? START) - (ratings[a] ?? START);
    const update = K * (outcome - 1 / (1 + Math.exp(STEEPNESS * difference)));
    ratings[a] = (ratings[a] ?? START) + update;
    ratings[b] = (ratings[b] ?? START) - update;
  }
  return ratings;
}
