import { readFileSync } from 'node:fs';
import type { Counted, Death } from './law.ts';

/** `all`, or the number of kills in each test of the crash suite; by default a sample that takes seconds. */
const asked = process.env.TUNELOOM_LAW_KILLS;
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);

export const countedIn = (path: string): readonly Counted[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Counted); // as kill-at.ts wrote it

/** Every point at which these processes can be killed; a stage's process alone, with its parent, or only its parent. */
export const everyDeath = (counted: readonly Counted[]): readonly Death[] =>
  counted.flatMap(({ role, operations, torn }) => {
    const numbers = Array.from({ length: operations }, (_, index) => index + 1);
    const company = role === 'tuneloom' ? (['itself'] as const) : (['itself', 'parent', 'both'] as const);
    return company.flatMap((dies) => [
      ...numbers.map((operation): Death => ({ role, operation, torn: false, dies })),
      // A process that survives writes the rest.
      ...(dies === 'parent' ? [] : torn.map((operation): Death => ({ role, operation, torn: true, dies }))),
    ]);
  });

/** An even sample of the requested size; `few` by default. */
export function chosenFrom<T>(all: readonly T[], few: number): readonly T[] {
  const most = asked === 'all' ? all.length : Number(asked ?? few);
  const share = (index: number): number =>
    Math.floor(((index + 0.5) * Math.min(most, all.length)) / all.length);
  return all.filter((_, index) => share(index) !== share(index - 1));
}

/** Random pairs, chosen by the seed. */
export function pairsFrom<T>(all: readonly T[], few: number): readonly (readonly T[])[] {
  const below = lehmer(seed);
  const one = (): readonly T[] => all.slice(below(all.length)).slice(0, 1);
  const count = asked === 'all' ? 20 * few : Number(asked ?? few);
  return Array.from({ length: count }, () => [...one(), ...one()]);
}

/** Numbers below a bound, from a seed: Park and Miller's generator. */
function lehmer(from: number): (below: number) => number {
  let state = (from % 2_147_483_646) + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor((state / 2_147_483_647) * below);
  };
}
