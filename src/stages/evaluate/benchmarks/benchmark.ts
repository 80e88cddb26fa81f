import type { Resampling } from '../statistics/resamples.ts';
import type { BenchmarkScores } from './benchmark-scores.ts';
import type { BenchmarkFile } from './files/benchmark-file.ts';

/** A benchmark whose official tool scores files. No model runs, and no code from the files. */
export interface Benchmark {
  /** What it measures, in a few words. */
  readonly summary: string;
  readonly data: Needed;
  /** Absent where the data holds all there is, such as votes. */
  readonly predictions?: Needed;
  readonly score: (call: BenchmarkCall) => Promise<BenchmarkScores>;
}

/** A file as a person would ask for it. */
export interface Needed {
  readonly file: string;
  /** A name that such a file has. */
  readonly example: string;
}

export interface BenchmarkCall {
  readonly data: BenchmarkFile;
  /** The same as `data` for a benchmark that declares no predictions. */
  readonly predictions: BenchmarkFile;
  /** For figures without a formula for their error. */
  readonly resampling: Resampling;
}
