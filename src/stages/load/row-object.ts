import type { Json, JsonObject } from '../../json.ts';
import { isObject } from '../../text/parse-record.ts';
import { UserError } from '../../user-error.ts';

/** A row as the object that it has to be. */
export function rowObject(value: Json): JsonObject {
  if (isObject(value)) return value;
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  throw new UserError({
    code: 'not-an-object',
    message: `it is ${kind}, not an object`,
    help: 'a row is an object whose fields have names, such as {"instruction": "...", "output": "..."}',
  });
}
