import { ExactNumber, type Json, UserError } from '../../core/index.ts';
import { PythonError, unsupported } from './python-error.ts';
import { literalIn } from './python-literal.ts';
import { floatText } from './python-text.ts';
import { Dict, isList, Tuple, type Value } from './values.ts';

/**
 * What Python's `ast.literal_eval` gives for a text, as JSON: tuples are lists, and an integral float is `1.0`. Undefined
 * where Python raises an error; throws a UserError for a literal that JSON has not.
 */
export function literalJson(text: string): Json | undefined {
  try {
    return jsonOf(literalIn(text));
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    if (error.kind === 'ValueError') return undefined;
    throw new UserError({ code: 'bad-literal', message: error.message, cause: error });
  }
}

function jsonOf(value: Value): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : new ExactNumber(String(value));
  if (typeof value === 'number') return Number.isInteger(value) ? new ExactNumber(floatText(value)) : value;
  if (isList(value)) return value.map(jsonOf);
  if (value instanceof Tuple) return value.items.map(jsonOf);
  if (!(value instanceof Dict)) throw unsupported('such a literal');
  const entries = [...value.entries()].map(([key, item]) => {
    if (typeof key === 'string') return [key, jsonOf(item)] as const;
    throw unsupported('a dict with keys that are no text');
  });
  return Object.fromEntries(entries);
}
