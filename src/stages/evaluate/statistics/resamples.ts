import { RandomStream } from '../../../model/random-stream.ts';

export interface Resampling {
  readonly rounds: number;
  readonly seed: number;
}

/** For each round as many indices below `count` as there are, drawn with replacement; equal seeds give equal draws. */
export function* resamples(count: number, { rounds, seed }: Resampling): Generator<readonly number[]> {
  const stream = new RandomStream(['bootstrap', seed]);
  for (let round = 0; round < rounds; round += 1)
    yield Array.from({ length: count }, () => Math.floor(stream.uniform() * count));
}
