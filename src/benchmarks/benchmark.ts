import type { Json, JsonObject, RecordPlace } from '../core/index.ts';
import type { FormatConfig } from '../generated/format-config.ts';
import type { LoadConfig } from '../generated/load-config.ts';
import type { Metrics, Resampling } from '../metrics/index.ts';
import type { TemplateName } from '../text/index.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import type { BenchmarkScores } from './benchmark-scores.ts';

/**
 * A benchmark: how its files are read, its questions written and its answers scored. The types of its names are
 * generated: a new name is a type error until `npm run generate` has run.
 */
export interface Benchmark {
  /** `as:` of load. */
  readonly name: BenchmarkName;
  /** Its row in docs/benchmarks.md: what `records` is, and the fields of a record. */
  readonly layout: { readonly records: string; readonly fields: string };
  /** The files that are read unless `split` names others; absent if the layout has no splits. */
  readonly defaultSplit?: string;
  /** `located.ts` reads JSON and JSON Lines with errors that name the place; `task-files.ts` finds the files of a folder. */
  readonly read: (source: BenchmarkSource) => AsyncIterable<BenchmarkRow>;
  /** By `template:` of format. */
  readonly templates?: Readonly<Partial<Record<BenchmarkTemplateName, BenchmarkTemplate>>>;
  /** By `metrics:` of evaluate: those that only this benchmark has. `accuracy` and the like are in src/metrics. */
  readonly metrics?: Metrics;
  /** By the name that `tuneloom score` takes; a task of a collection is `<collection>/<task>`. */
  readonly scorers?: Readonly<Record<string, Scorer>>;
}

export type BenchmarkName = NonNullable<LoadConfig['as']>;
export type BenchmarkTemplateName = Exclude<Extract<FormatConfig['template'], string>, TemplateName | 'chat'>;

export interface BenchmarkSource {
  /** A file in the benchmark's own layout, or the folder that holds such files. */
  readonly path: string;
  /** The files of this split are read, such as `test`, `dev` or `val`; empty if the layout has no splits. */
  readonly split: string;
  /** The tasks or subjects to read; absent for all. */
  readonly tasks: readonly string[] | undefined;
  /** Where the rows are that the files of `path` only describe: a file or folder, or one for each split. */
  readonly data: string | Readonly<Record<string, string>> | undefined;
  /** Replaces how many examples the tasks ask for. */
  readonly shots: number | undefined;
  /** The rows of a file in any format that load reads. */
  readonly readRows: (path: string) => AsyncIterable<ReadRow>;
  /** Is told what the reader of the results has to know. */
  readonly onNote: (message: string) => void;
}

export interface ReadRow {
  readonly path: string;
  readonly line: number;
  readonly row: Json;
  /** False if the file has no types, so that each value is a text. */
  readonly isTyped: boolean;
}

/** A row of a benchmark, under our field names where the original has none. */
export interface BenchmarkRow {
  /** The benchmark's own, or made from the row's place in it, never from the file's path. No two rows share one. */
  readonly id: string;
  readonly row: JsonObject;
  /** Where the row is in its file, for errors about its record; absent where rows do not begin at lines. */
  readonly place?: RecordPlace;
}

/** A template of a benchmark; `source` says whose prompts it writes, in docs/benchmarks.md. */
export interface BenchmarkTemplate extends ExampleTemplate {
  readonly source: string;
  /** The row's field with the benchmark's own examples. Questions without it are asked without any, and format says so. */
  readonly examplesIn?: string;
}

/** Writes rows as questions that few shots can precede. `row-fields.ts` reads their fields. */
export interface ExampleTemplate {
  readonly write: (row: JsonObject) => Example;
  /** The text before the shots and the question. */
  readonly description?: (row: JsonObject) => string;
  /** The text between two examples; a blank line if absent. */
  readonly separator?: (row: JsonObject) => string;
  /** A question's shots are rows of the same group; any row if absent. */
  readonly group?: (row: JsonObject) => string;
  /** What of the row goes along into the response; all of it if absent. */
  readonly keptFields?: (row: JsonObject) => JsonObject;
}

/** A question as text, with its answer. */
export interface Example {
  readonly prompt: string;
  /** The text between prompt and response, such as a space; it also precedes each choice. */
  readonly header: string;
  /** The right answer; empty if there is none to show. */
  readonly response: string;
  /** The answers to choose from, for `mode: choices` of generate; `response` is one of them, as text. */
  readonly choices?: readonly string[];
  /** How the benchmark wants it answered, for `mode: task` of generate. */
  readonly generation?: JsonObject;
  /** How many characters at the beginning of the prompt other questions have too. */
  readonly sharedCharacters?: number;
}

/** Scores files as the benchmark's official tool does. It runs no model, and no code from the files. */
export interface Scorer {
  /** What it measures, in a few words. */
  readonly summary: string;
  readonly data: NeededFile;
  /** Absent if the data holds everything, such as votes. */
  readonly predictions?: NeededFile;
  readonly score: (files: ScorerInput) => Promise<BenchmarkScores>;
}

export interface NeededFile {
  /** What it holds. */
  readonly file: string;
  /** A name that such a file has. */
  readonly example: string;
}

interface ScorerInput {
  readonly data: BenchmarkFile;
  /** The same as `data` for a scorer that declares no predictions. */
  readonly predictions: BenchmarkFile;
  /** For figures whose error has no formula. */
  readonly resampling: Resampling;
}
