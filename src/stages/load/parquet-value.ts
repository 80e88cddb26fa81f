import { TextDecoder } from 'node:util';
import type { Json } from '../../json.ts';

const mostDepth = 64;

/**
 * A value of a Parquet file as JSON: a whole number beyond 2^53 as text, a time in ISO 8601, bytes as text where they are
 * UTF-8 and else in base64, what is no number or absent as null.
 */
export function parquetValue(value: unknown, depth = 0): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'bigint': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    case 'object':
      return value === null || depth > mostDepth ? null : objectValue(value, depth);
    default:
      return null;
  }
}

function objectValue(value: object, depth: number): Json {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return textOf(value);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    // A typed array is a list of numbers.
    return Array.from(value as ArrayLike<unknown>, (item) => parquetValue(item, depth + 1));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, parquetValue(item, depth + 1)]),
  );
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('base64');
  }
}
