/** Any value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a map, not for a list or null. An absent field, `undefined`, is no map either. */
export function isObject(value: Json | undefined): value is JsonObject;
export function isObject(value: unknown): value is Readonly<Record<string, unknown>>;
export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Array.isArray for read-only lists, which it does not narrow. */
export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
