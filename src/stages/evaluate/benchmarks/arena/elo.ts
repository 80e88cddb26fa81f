import type { CodedBattles } from './coded-battles.ts';

const K = 4;
/** Base 10 and a scale of 400. */
const STEEPNESS = Math.LN10 / 400;
const START = 1000;

/** Elo ratings after the battles, one after another: K 4, base 10, scale 400, start 1000. The order matters. */
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
