import {
  ExactNumber,
  isList,
  isObject,
  type Json,
  type JsonObject,
  type RecordPlace,
  UserError,
} from '../../core/index.ts';

import type { ReadRow } from '../benchmark.ts';
import { withPandasTypes } from './csv-types.ts';

/** A row of a dataset, with its place if its file has lines. */
export interface Document {
  readonly row: JsonObject;
  readonly place: RecordPlace;
}

/** A split's rows as the Python package datasets gives them, and the names of their columns. */
export interface Documents {
  readonly documents: readonly Document[];
  readonly columns: ReadonlySet<string>;
}

function typed(rows: readonly ReadRow[]): readonly ReadRow[] {
  const values = withPandasTypes(rows.map(({ row }) => row));
  return rows.map((row, index) => ({ ...row, row: values[index] ?? null }));
}

/**
 * Reads files of rows as the package datasets does: what a row lacks of a column is null, at any depth, and in a column
 * with floats every number is one.
 */
export async function readDocuments(
  paths: readonly string[],
  readRows: (path: string) => AsyncIterable<ReadRow>,
): Promise<Documents> {
  const read: ReadRow[] = [];
  for (const path of paths) for await (const row of readRows(path)) read.push(row);
  const rows = read.every(({ isTyped }) => isTyped) ? read : typed(read);
  const type = new ColumnType();
  for (const { row, path, line } of rows) {
    if (!isObject(row))
      throw new UserError({ code: 'not-an-object', message: `${path}:${line}: a row must be an object` });
    type.see(row);
  }
  return {
    documents: rows.map(({ row, path, line }) => ({
      row: type.unified(row) as JsonObject, // an object stays one
      place: { path, line },
    })),
    columns: new Set(type.fields.keys()),
  };
}

/** What the values of a column have in common. */
class ColumnType {
  /** Of the objects. */
  readonly fields = new Map<string, ColumnType>();
  /** Of the lists' items. */
  #items: ColumnType | undefined;
  #hasFloats = false;

  see(value: Json): void {
    if (isObject(value))
      for (const [name, member] of Object.entries(value)) {
        const field = this.fields.get(name) ?? new ColumnType();
        this.fields.set(name, field);
        field.see(member);
      }
    else if (isList(value)) {
      this.#items ??= new ColumnType();
      for (const item of value) this.#items.see(item);
    } else if (isFloat(value)) this.#hasFloats = true;
  }

  unified(value: Json): Json {
    if (isObject(value))
      return Object.fromEntries(
        [...this.fields].map(([name, field]) => {
          const member = Object.hasOwn(value, name) ? value[name] : undefined;
          return [name, member === undefined ? null : field.unified(member)];
        }),
      );
    if (isList(value)) return value.map((item) => this.#items?.unified(item) ?? null);
    if (!this.#hasFloats || isFloat(value)) return value;
    if (typeof value === 'number') return new ExactNumber(value.toFixed(1));
    return value instanceof ExactNumber ? new ExactNumber(`${value.text}.0`) : value;
  }
}

const isFloat = (value: Json): boolean =>
  value instanceof ExactNumber
    ? /[.eE]/.test(value.text)
    : typeof value === 'number' && !Number.isInteger(value);
