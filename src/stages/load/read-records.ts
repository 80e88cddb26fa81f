import type { BenchmarkName, ReadRow } from '../../benchmarks/index.ts';
import {
  didYouMean,
  isObject,
  type Json,
  type JsonObject,
  numberIn,
  type RecordPlace,
  RecordProblems,
  UserError,
} from '../../core/index.ts';
import type { LoadConfig } from '../../generated/load-config.ts';
import type { RecordPlaces, RecordSearch } from '../../runtime/index.ts';
import { type DataRecord, fieldsIn } from '../../text/index.ts';
import { mix } from '../mixing/mix.ts';
import { detectType } from './data-files.ts';
import { readRows } from './read-rows.ts';
import { RecordIds } from './record-ids.ts';

interface PlacedRecord {
  readonly record: DataRecord;
  /** Undefined if a benchmark's layout has no lines. */
  readonly place: RecordPlace | undefined;
}

type Records = NonNullable<LoadConfig['records']>;

/**
 * The records of a source of rows, of several mixed ones, or of a benchmark in its own layout. `onNote` is told what is
 * left out of a folder.
 */
export function readRecords(
  { records, ...config }: LoadConfig & { readonly records: Records },
  onNote?: (message: string) => void,
): AsyncGenerator<PlacedRecord> {
  if (typeof records !== 'string') return readSources(records, { seed: config.seed, onNote });
  const { as } = config;
  return as === undefined
    ? readRowRecords({ ...config, path: records }, onNote)
    : readBenchmark(as, { ...config, records, onNote });
}

/** The rows of several sources. Notes about a source are given once, however often it is read. */
function readSources(
  sources: Exclude<Records, string>,
  { seed, onNote = () => {} }: { seed: number; onNote?: ((message: string) => void) | undefined },
): AsyncGenerator<PlacedRecord> {
  const noted = new Set<string>();
  const note = (message: string) => {
    if (!noted.has(message)) onNote(message);
    noted.add(message);
  };
  return mix(
    sources.map(({ name, weight, limit, ...rows }) => ({
      name,
      weight,
      limit,
      read: () => readRowRecords({ ...rows, ...(limit !== undefined && { limit }) }, note),
    })),
    seed,
  );
}

type RowSource = Pick<LoadConfig, 'type' | 'columns' | 'quotes' | 'field' | 'fields' | 'id' | 'limit'> & {
  readonly path: string;
};

/** The rows of a data file as records: fields renamed, each with its id, at most `limit` of them. */
async function* readRowRecords(
  config: RowSource,
  onNote: (message: string) => void = () => {},
): AsyncGenerator<PlacedRecord> {
  const { path, fields = {}, id: idField, limit = Number.POSITIVE_INFINITY } = config;
  const problems = new RecordProblems(`of ${path} cannot be loaded`);
  const ids = new RecordIds(idField);
  const unseen = new UnseenFields(fields);
  let count = 0;
  const noteLeftOut = (names: readonly string[]) =>
    onNote(`${path}: no rows are read from ${names.join(', ')}`);
  for await (const { row: value, ...place } of readRows(path, config, noteLeftOut)) {
    count += 1;
    const record = problems.collect({ place }, () => {
      const row = rowObject(value);
      unseen.see(row);
      return ids.identify(renameFields(row, fields), { data: row, line: place.line });
    });
    if (record !== undefined) yield { record, place };
    if (count >= limit) break;
  }
  problems.throwIfAny();
  if (count === 0)
    throw new UserError({
      code: 'no-records',
      message: `${path} holds no rows`,
      help: 'is this the right file?',
    });
  unseen.throwIfAny(path);
}

/** Throws a UserError if the row is not an object. */
function rowObject(value: Json): JsonObject {
  if (isObject(value)) return value;
  const type = numberIn(value) === undefined ? typeof value : 'number';
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${type}`;
  throw new UserError({
    code: 'not-an-object',
    message: `it is ${kind}, not an object`,
    help: 'a row is an object whose fields have names, such as {"instruction": "...", "output": "..."}',
  });
}

/** The fields that a configuration renames and that no row has had so far. It is an error if any are left at the end. */
class UnseenFields {
  readonly #unseen: Set<string>;
  #lastRow: JsonObject = {};

  /** Our names -> the data's. */
  constructor(fields: Readonly<Record<string, string>>) {
    this.#unseen = new Set(Object.values(fields));
  }

  see(row: JsonObject): void {
    this.#lastRow = row;
    for (const name of this.#unseen) if (Object.hasOwn(row, name)) this.#unseen.delete(name);
  }

  throwIfAny(path: string): void {
    const [name] = this.#unseen;
    if (name === undefined) return;
    throw new UserError({
      code: 'unknown-field',
      message: `no row of ${path} has the field \`${name}\`, which \`fields\` renames`,
      help: didYouMean(name, Object.keys(this.#lastRow)) ?? `the last row has ${fieldsIn(this.#lastRow)}`,
    });
  }
}

/** Where records begin in the file that `load` read, found by reading it again as far as needed. */
export async function locateRecords({ config, ids }: RecordSearch<LoadConfig>): Promise<RecordPlaces> {
  const places = new Map<string, RecordPlace>();
  const { records } = config;
  if (records === undefined) return places;
  const wanted = new Set(ids);
  for await (const { record, place } of readRecords({ ...config, records })) {
    if (wanted.delete(record.id) && place !== undefined) places.set(record.id, place);
    if (wanted.size === 0) break;
  }
  return places;
}

type Config = Pick<LoadConfig, 'split' | 'tasks' | 'data' | 'num_fewshot' | 'fields' | 'limit'> & {
  readonly records: string;
  readonly onNote?: ((message: string) => void) | undefined;
};

/** A benchmark's rows as records; `limit` counts them over all tasks. */
export async function* readBenchmark(
  name: BenchmarkName,
  { records: path, split, tasks, data, num_fewshot, onNote = () => {}, ...config }: Config,
): AsyncGenerator<PlacedRecord> {
  const { fields = {}, limit = Number.POSITIVE_INFINITY } = config;
  const { readBenchmarkRows } = await import('../../benchmarks/index.ts');
  const source = { path, split, tasks, data, shots: num_fewshot, readRows: rowsOfAnyType, onNote };
  let count = 0;
  const ids = new Set<string>();
  for await (const { id, row, place } of readBenchmarkRows(name, source)) {
    if (ids.has(id))
      throw new UserError({ code: 'duplicate-id', message: `${path}: two rows are ${id} of the benchmark` });
    ids.add(id);
    const { id: _, ...own } = renameFields(row, fields);
    yield { record: { id, ...own }, place };
    count += 1;
    if (count >= limit) return;
  }
  if (count === 0) throw new UserError({ code: 'no-records', message: `${path} holds no rows of ${name}` });
}

async function* rowsOfAnyType(path: string): AsyncGenerator<ReadRow> {
  const type = await detectType(path);
  const isTyped = type !== 'csv' && type !== 'tsv';
  for await (const row of readRows(path, { type: 'auto' })) yield { ...row, isTyped };
}

/**
 * A row with the names that `fields` gives (ours -> the data's), followed by its other fields. One field of the data may
 * become several; a field that the data lacks stays absent.
 */
function renameFields(row: JsonObject, fields: Readonly<Record<string, string>>): JsonObject {
  const renamed = Object.entries(fields).flatMap(([ours, theirs]) => {
    const value = Object.hasOwn(row, theirs) ? row[theirs] : undefined;
    return value === undefined ? [] : [[ours, value] as const];
  });
  const taken = new Set(Object.entries(fields).flat());
  return Object.fromEntries([...renamed, ...Object.entries(row).filter(([name]) => !taken.has(name))]);
}
