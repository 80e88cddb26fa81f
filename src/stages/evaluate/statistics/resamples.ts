import { RandomStream } from '../../../model/random-stream.ts';

export interface Resampling {
  readonly rounds: number;
  readonly seed: number;
}

/** For each round as many indices below `count` as there are, drawn with replacement; equal seeds give equal draws. */
export function* resamples(count: number, resampling: Resampling): Generator<readonly number[]> {
  for (const indices of resampledIndices(count, resampling)) yield [...indices];
}

/** The same in one array, which the next round overwrites. */
export function* resampledIndices(count: number, { rounds, seed }: Resampling): Generator<Int32Array> {
  const stream = new RandomStream(['bootstrap', seed]);
  const indices = new Int32Array(count);
  for (let round = 0; round < rounds; round += 1) {
    for (let place = 0; place < count; place += 1) indices[place] = Math.floor(stream.uniform() * count);
    yield indices;
  }
}
