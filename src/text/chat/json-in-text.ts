import { type Json, parseExactly } from '../../core/index.ts';

/**
 * The list, object or null that a text holds as JSON, as CSV files and Arrow tables have them; any other value, and a text
 * that holds none, unchanged.
 */
export function jsonIn(value: Json): Json {
  if (typeof value !== 'string' || !/^\s*(?:[[{]|null\s*$)/.test(value)) return value;
  try {
    return parseExactly(value) as Json; // what JSON holds
  } catch {
    return value;
  }
}
