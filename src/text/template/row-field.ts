import type { Json, JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';

/** The text of a field that the row must have. */
export function requiredText(row: JsonObject, name: string): string {
  const value = row[name];
  if (value === undefined || value === null) throw missingField(row, name);
  return textOf(name, value);
}

/** The text of a field that the row may leave out: absent and null are the empty text. */
export const optionalText = (row: JsonObject, name: string): string => textOf(name, row[name] ?? '');

export function missingField(row: JsonObject, name: string): UserError {
  return new UserError({
    code: 'missing-field',
    message: Object.hasOwn(row, name) ? `its field \`${name}\` is null` : `it has no field \`${name}\``,
    help: `map it with \`fields: { ${name}: <its name in your data> }\` of the load stage; ${fieldsOf(row)}`,
  });
}

/** For example "the row has `instruction`, `output`". */
export function fieldsOf(row: JsonObject): string {
  const names = Object.keys(row).map((name) => `\`${name}\``);
  return `the row has ${names.length === 0 ? 'no fields' : names.join(', ')}`;
}

function textOf(name: string, value: Json): string {
  if (typeof value === 'string') return value;
  const kind = Array.isArray(value)
    ? 'a list'
    : typeof value === 'object'
      ? 'an object'
      : `a ${typeof value}`;
  throw new UserError({
    code: 'not-text',
    message: `its field \`${name}\` is ${kind} (${shortened(JSON.stringify(value))}), not text`,
    help: 'put the value in quotation marks in the data, or write it with a template of your own',
  });
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}...` : text);
