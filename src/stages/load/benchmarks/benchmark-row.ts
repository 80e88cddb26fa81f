import type { JsonObject } from '../../../json.ts';
import type { RecordPlace } from '../../../user-error.ts';

/** A row of a benchmark, under field names of ours where the original has none. */
export interface BenchmarkRow {
  /** Made of the row's place in the benchmark, so that it is the same wherever the benchmark is read. */
  readonly id: string;
  readonly row: JsonObject;
  /** Absent where a file's layout has no lines to speak of. */
  readonly place?: RecordPlace;
}

export interface BenchmarkSource {
  /** A file in the benchmark's own layout, or the folder that holds such files. */
  readonly path: string;
  /** `test`, `dev`, `val` or whatever the files of the wanted split are called; the benchmark's usual one where absent. */
  readonly split: string | undefined;
  /** The tasks or subjects that are wanted; all where absent. */
  readonly tasks: readonly string[] | undefined;
}

export type BenchmarkReader = (source: BenchmarkSource) => AsyncIterable<BenchmarkRow>;
