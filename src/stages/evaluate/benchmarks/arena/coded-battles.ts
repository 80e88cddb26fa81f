import type { Battles } from './battle.ts';

/** Battles as numbers: equal ones have equal codes, so that a million can be counted and drawn again quickly. */
export interface CodedBattles {
  readonly models: number;
  /** [battles] */
  readonly codes: Int32Array;
  /** For each code the two models and what a got: 1, 0.5 or 0. */
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

/** How often each code comes. */
export function countedCodes({ codes, a }: CodedBattles): Int32Array {
  const counts = new Int32Array(a.length);
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
