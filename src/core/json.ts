import canonicalize from 'canonicalize';
import { ExactNumber, writeExactly } from './exact-number.ts';

/** Any value that JSON can hold. */
export type Json = null | boolean | number | ExactNumber | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a map, not for a list, null or an exact number. An absent field, `undefined`, is no map either. */
export function isObject(value: Json | undefined): value is JsonObject;
export function isObject(value: unknown): value is Readonly<Record<string, unknown>>;
export function isObject(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  );
}

/** Array.isArray for read-only lists, which it does not narrow. */
export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** A number as JavaScript computes with it; undefined for any other value. */
export function numberIn(value: Json | undefined): number | undefined {
  if (value instanceof ExactNumber) return Number(value);
  return typeof value === 'number' ? value : undefined;
}

/** An object's own member: a name may be that of an inherited one, such as `constructor`. */
export const own = <T>(object: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

// The package is CommonJS and its function is module.exports, but its types promise `exports.default`.
const serialize = canonicalize as unknown as (value: unknown) => string | undefined;

/** A JSON value in its only spelling by RFC 8785: sorted names and no white space. Exact numbers keep their spelling. */
export function canonicalJson(value: unknown): string {
  const text = writeExactly(() => serialize(value));
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}
