import type { JsonObject, RecordPlace } from '../core/index.ts';
import type { Resampling } from '../metrics/index.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import type { BenchmarkScores } from './benchmark-scores.ts';

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

/** A row of a benchmark, under field names of ours where the original has none. */
export interface BenchmarkRow {
  /** Made of the row's place in the benchmark, so that it is the same wherever the benchmark is read. */
  readonly id: string;
  readonly row: JsonObject;
  /** Absent where a file's layout has no lines to speak of. */
  readonly place?: RecordPlace;
}

interface BenchmarkSource {
  /** A file in the benchmark's own layout, or the folder that holds such files. */
  readonly path: string;
  /** `test`, `dev`, `val` or whatever the files of the wanted split are called; the benchmark's usual one where absent. */
  readonly split: string | undefined;
  /** The tasks or subjects that are wanted; all where absent. */
  readonly tasks: readonly string[] | undefined;
}

export type BenchmarkReader = (source: BenchmarkSource) => AsyncIterable<BenchmarkRow>;

/** A question as text, with its answer. */
export interface Example {
  readonly prompt: string;
  /** What stands between the prompt and the response, such as a space. */
  readonly header: string;
  /** The right answer; empty where there is none to show. */
  readonly response: string;
  /** The answers to choose from. */
  readonly choices?: readonly string[];
}

/** Writes rows as questions that few shots can stand before. */
export interface ExampleTemplate {
  readonly write: (row: JsonObject) => Example;
  /** What stands before the shots and the question. */
  readonly description?: (row: JsonObject) => string;
  /** What stands between two examples; a blank line where absent. */
  readonly separator?: (row: JsonObject) => string;
  /** Shots for a question are rows with the same one of these; any row where absent. */
  readonly group?: (row: JsonObject) => string;
}
