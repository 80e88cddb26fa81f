import { didYouMean, isObject, type Json, type JsonObject, jsonText, UserError } from '../../core/index.ts';

/** The text of a field that the row must have. */
export function requiredText(row: JsonObject, name: string): string {
  const value = row[name];
  if (value === undefined || value === null) throw missingField(row, name);
  return textOf(name, value);
}

/** The text of an optional field; empty if it is absent or null. */
export const optionalText = (row: JsonObject, name: string): string => textOf(name, row[name] ?? '');

export function missingField(row: JsonObject, name: string): UserError {
  if (Object.hasOwn(row, name)) return nullField(name);
  const map = `map it with \`fields: { ${name}: <its name in your data> }\` of the load stage; ${fieldsOf(row)}`;
  const near = didYouMean(name, Object.keys(row));
  return new UserError({
    code: 'missing-field',
    message: `it has no field \`${name}\``,
    help: conversationHelp(row) ?? (near === undefined ? map : `${near} Otherwise ${map}`),
  });
}

const nullField = (name: string): UserError =>
  new UserError({
    code: 'missing-field',
    message: `its field \`${name}\` is null`,
    help: 'give it a text in the data, or leave the row out',
  });

/** What to do with a row that holds a list of turns, whatever its name. */
function conversationHelp(row: JsonObject): string | undefined {
  for (const [name, turns] of Object.entries(row)) {
    if (!Array.isArray(turns) || !isObject(turns[0])) continue;
    const [who, text] = Object.hasOwn(turns[0], 'value') ? ['from', 'value'] : ['role', 'content'];
    return (
      `the row holds a conversation, \`${name}\`: write it with \`template: chat\`, or with a template of your own, such as ` +
      `prompt: "{% for turn in ${name}[:-1] %}{{ turn.${who} }}: {{ turn.${text} }}\\n{% endfor %}" ` +
      `and response: "{{ ${name}[-1].${text} }}"`
    );
  }
  return undefined;
}

/** For example "the row has `instruction`, `output`", after the field that a missing one may mean. */
export function fieldsOf(row: JsonObject, missing?: string): string {
  const near = missing === undefined ? undefined : didYouMean(missing, Object.keys(row));
  return `${near === undefined ? '' : `${near} `}the row has ${fieldsIn(row)}`;
}

export function fieldsIn(row: JsonObject): string {
  const names = Object.keys(row).map((name) => `\`${name}\``);
  return names.length === 0 ? 'no fields' : names.join(', ');
}

function textOf(name: string, value: Json): string {
  if (typeof value === 'string') return value;
  const kind = Array.isArray(value)
    ? 'a list'
    : isObject(value)
      ? 'an object'
      : `a ${typeof value === 'boolean' ? 'boolean' : 'number'}`;
  throw new UserError({
    code: 'not-text',
    message: `its field \`${name}\` is ${kind} (${shortened(jsonText(value), 40)}), not text`,
    help: 'put the value in quotation marks in the data, or write it with a template of your own',
  });
}

export const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most)}...` : text;
