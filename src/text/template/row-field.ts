import type { Json, JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { isObject } from '../parse-record.ts';

/** The text of a field that the row must have. */
export function requiredText(row: JsonObject, name: string): string {
  const value = row[name];
  if (value === undefined || value === null) throw missingField(row, name);
  return textOf(name, value);
}

/** The text of a field that the row may leave out: absent and null are the empty text. */
export const optionalText = (row: JsonObject, name: string): string => textOf(name, row[name] ?? '');

export function missingField(row: JsonObject, name: string): UserError {
  if (Object.hasOwn(row, name)) return nullField(name);
  const turns = conversationIn(row);
  return new UserError({
    code: 'missing-field',
    message: `it has no field \`${name}\``,
    help:
      turns === undefined
        ? `map it with \`fields: { ${name}: <its name in your data> }\` of the load stage; the row has ${fieldsIn(row)}`
        : `the row holds a conversation, \`${turns}\`: write it with a template of your own that loops over it, as the documentation of format shows`,
  });
}

const nullField = (name: string): UserError =>
  new UserError({
    code: 'missing-field',
    message: `its field \`${name}\` is null`,
    help: 'give it a text in the data, or leave the row out',
  });

/** The field that holds a list of turns, under whatever name. */
const conversationIn = (row: JsonObject): string | undefined =>
  Object.keys(row).find((name) => {
    const value = row[name];
    return Array.isArray(value) && value.length > 0 && value.every(isObject);
  });

/** For example "`instruction`, `output`". */
export function fieldsIn(row: JsonObject): string {
  const names = Object.keys(row).map((name) => `\`${name}\``);
  return names.length === 0 ? 'no fields' : names.join(', ');
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
