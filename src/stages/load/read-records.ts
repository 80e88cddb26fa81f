import { createHash } from 'node:crypto';
import type { BenchmarkName, ReadRow } from '../../benchmarks/index.ts';
import {
  canonicalJson,
  didYouMean,
  ExactNumber,
  isObject,
  type Json,
  type JsonObject,
  jsonText,
  numberIn,
  type RecordPlace,
  RecordProblems,
  UserError,
} from '../../core/index.ts';
import type { LoadConfig } from '../../generated/load-config.ts';
import type { RecordPlaces, RecordSearch } from '../../runtime/index.ts';
import { type DataRecord, fieldsIn, fieldsOf } from '../../text/index.ts';
import { detectType } from './data-files.ts';
import { readRows } from './read-rows.ts';

interface PlacedRecord {
  readonly record: DataRecord;
  /** Undefined if a benchmark's layout has no lines. */
  readonly place: RecordPlace | undefined;
}

/** The records of a file of rows, or of a benchmark in its own layout. `onNote` is told what is left out of a folder. */
export function readRecords(
  config: LoadConfig & { readonly records: string },
  onNote?: (message: string) => void,
): AsyncGenerator<PlacedRecord> {
  return config.as === undefined
    ? readRowRecords(config, onNote)
    : readBenchmark(config.as, { ...config, onNote });
}

/** The rows of a data file as records: fields renamed, each with its id, at most `limit` of them. */
async function* readRowRecords(
  config: LoadConfig & { readonly records: string },
  onNote: (message: string) => void = () => {},
): AsyncGenerator<PlacedRecord> {
  const { records: path, fields = {}, id: idField, limit = Number.POSITIVE_INFINITY } = config;
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

const hashLength = 16;

/** Gives each record of a file an id that no other has. */
class RecordIds {
  readonly #field: string | undefined;
  /** Id -> the line of the row that has it. */
  readonly #given = new Map<string, number>();
  readonly #equalRows = new Map<string, number>();

  /** `field`: the data's name of the field that holds the ids, if any. */
  constructor(field: string | undefined) {
    this.#field = field;
  }

  /**
   * The row as a record. Its id is the named field of the data, else its field `id`, else the hash of its content, with
   * an ordinal from the second of equal rows on (`-2`).
   */
  identify(row: JsonObject, { data, line }: { data: JsonObject; line: number }): DataRecord {
    const given = this.#field === undefined ? row.id : data[this.#field];
    if (given !== undefined && given !== null) return withFirstId(this.#claim(idText(given), line), row);
    if (this.#field !== undefined) throw missingId(data, this.#field);
    return withFirstId(this.#claim(this.#contentId(row), line), row);
  }

  #claim(id: string, line: number): string {
    const before = this.#given.get(id);
    if (before !== undefined) {
      throw new UserError({
        code: 'duplicate-id',
        message: `its id ${JSON.stringify(id)} is already the id of line ${before}`,
        help: 'name a field whose values differ as `id`, or rename this one with `fields` to get ids from the content',
      });
    }
    this.#given.set(id, line);
    return id;
  }

  #contentId(row: JsonObject): string {
    const hash = createHash('sha256').update(canonicalJson(row)).digest('hex').slice(0, hashLength);
    const ordinal = (this.#equalRows.get(hash) ?? 0) + 1;
    this.#equalRows.set(hash, ordinal);
    return ordinal === 1 ? hash : `${hash}-${ordinal}`;
  }
}

function missingId(data: JsonObject, field: string): UserError {
  return new UserError({
    code: 'missing-field',
    message: Object.hasOwn(data, field) ? `its field \`${field}\` is null` : `it has no field \`${field}\``,
    help: `\`id\` names the field that holds each row's id; without it ids come from the content; ${fieldsOf(data)}`,
  });
}

function withFirstId(id: string, { id: _, ...row }: JsonObject): DataRecord {
  return { id, ...row };
}

function idText(value: Json): string {
  if (typeof value === 'string' && value !== '') return value;
  if (value instanceof ExactNumber || Number.isInteger(value)) return String(value);
  throw new UserError({
    code: 'bad-id',
    message: `${jsonText(value)} cannot be an id`,
    help: 'an id is a text or a whole number',
  });
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
