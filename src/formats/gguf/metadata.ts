import type { Json } from '../../core/index.ts';
import { badGguf, type HeaderReader } from './header-reader.ts';

/** A file's metadata by key, such as `llama.block_count`. */
export type GgufMetadata = ReadonlyMap<string, Json>;

interface Scalar {
  readonly bytes: number;
  readonly read: (view: DataView) => Json;
}

/** The number of a type in the file -> how its values are read; 64-bit integers beyond the safe ones lose precision. */
const scalars = new Map<number, Scalar>([
  [0, { bytes: 1, read: (view) => view.getUint8(0) }],
  [1, { bytes: 1, read: (view) => view.getInt8(0) }],
  [2, { bytes: 2, read: (view) => view.getUint16(0, true) }],
  [3, { bytes: 2, read: (view) => view.getInt16(0, true) }],
  [4, { bytes: 4, read: (view) => view.getUint32(0, true) }],
  [5, { bytes: 4, read: (view) => view.getInt32(0, true) }],
  [6, { bytes: 4, read: (view) => shortestDecimal(view.getFloat32(0, true)) }],
  [7, { bytes: 1, read: (view) => view.getUint8(0) !== 0 }],
  [10, { bytes: 8, read: (view) => Number(view.getBigUint64(0, true)) }],
  [11, { bytes: 8, read: (view) => Number(view.getBigInt64(0, true)) }],
  [12, { bytes: 8, read: (view) => view.getFloat64(0, true) }],
]);
const stringType = 8;
const arrayType = 9;
/** In all arrays together; the largest vocabularies have a million tokens and merges. */
const maximumValues = 8_000_000;

/** Reads `count` keys with their values. */
export function readMetadata(reader: HeaderReader, count: number): GgufMetadata {
  const metadata = new Map<string, Json>();
  const budget = { values: maximumValues };
  for (let index = 0; index < count; index++) {
    const key = reader.string();
    if (metadata.has(key)) throw badGguf(reader.path, `it has the key \`${key}\` twice`);
    const type = reader.uint32();
    metadata.set(key, type === arrayType ? readArray(reader, key, budget) : readerOf(reader, key, type)());
  }
  return metadata;
}

/** An array of arrays, which no program writes, is refused as an unknown type. */
function readArray(reader: HeaderReader, key: string, budget: { values: number }): readonly Json[] {
  const type = reader.uint32();
  const read = readerOf(reader, key, type);
  const count = reader.count({
    what: `values of \`${key}\``,
    bytesEach: scalars.get(type)?.bytes ?? 8,
  });
  budget.values -= count;
  if (budget.values < 0)
    throw badGguf(reader.path, `its arrays up to \`${key}\` have more than ${maximumValues} values`);
  return Array.from({ length: count }, read);
}

function readerOf(reader: HeaderReader, key: string, type: number): () => Json {
  if (type === stringType) return () => reader.string();
  const scalar = scalars.get(type);
  if (scalar === undefined) throw badGguf(reader.path, `\`${key}\` has the unknown type ${type}`);
  return () => scalar.read(reader.take(scalar.bytes));
}

/** The shortest decimal that rounds to a float32: 1e-5 instead of 9.99999974737875e-6. Nine digits identify every float32. */
export function shortestDecimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return value;
}
