import { isList, isObject, type Json } from './json.ts';

/** Whether a value has the type that a field needs. */
export type JsonCheck = (value: Json | undefined) => boolean;

export const isText: JsonCheck = (value) => typeof value === 'string';
export const isNumber: JsonCheck = (value) => typeof value === 'number';
export const isBoolean: JsonCheck = (value) => typeof value === 'boolean';

export const orAbsent =
  (check: JsonCheck): JsonCheck =>
  (value) =>
    value === undefined || check(value);

export const listOf =
  (check: JsonCheck): JsonCheck =>
  (value) =>
    isList(value) && value.every(check);

/** An object whose fields pass their checks; others are ignored. */
export const hasFields =
  (checks: Readonly<Record<string, JsonCheck>>): JsonCheck =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]));
