import { ExactNumber, isObject, type Json, type JsonObject } from '../../core/index.ts';

/** What pandas takes for a missing value. */
const missing = new Set([
  ...['', '#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>'],
  ...['N/A', 'NA', 'NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
]);
const booleans: Readonly<Record<string, boolean>> = {
  ...{ True: true, TRUE: true, true: true },
  ...{ False: false, FALSE: false, false: false },
};
const whole = /^[+-]?\d{1,18}$/;
const float = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * The rows of a CSV or TSV file with the types that pandas gives its columns, by which the package datasets reads them:
 * whole numbers, floats, booleans or texts; what looks like a missing value is null.
 */
export function withPandasTypes(rows: readonly Json[]): readonly Json[] {
  const objects = rows.filter((row): row is JsonObject => isObject(row));
  const readers = new Map(
    Object.keys(objects[0] ?? {}).map((name) => [
      name,
      columnReader(objects.map((row) => String(row[name] ?? ''))),
    ]),
  );
  return rows.map((row) =>
    isObject(row)
      ? Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, readers.get(name)?.(String(value)) ?? null]),
        )
      : row,
  );
}

function columnReader(values: readonly string[]): (value: string) => Json {
  const present = values.filter((value) => !missing.has(value));
  const isComplete = present.length === values.length;
  if (present.length === 0) return () => null;
  if (isComplete && present.every((value) => whole.test(value))) return integer;
  if (present.every((value) => float.test(value)))
    return (value) => (missing.has(value) ? null : decimal(value));
  if (isComplete && present.every((value) => Object.hasOwn(booleans, value)))
    return (value) => booleans[value] ?? null;
  return (value) => (missing.has(value) ? null : value);
}

function integer(value: string): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : new ExactNumber(String(BigInt(value)));
}

function decimal(value: string): Json {
  const number = Number(value);
  if (!Number.isInteger(number)) return number;
  return new ExactNumber(Math.abs(number) < 1e16 ? number.toFixed(1) : String(number));
}
