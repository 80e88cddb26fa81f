import { isList, isObject, type Json, type JsonObject, jsonText, UserError } from '../../core/index.ts';
import { type DataRecord, fieldsOf, parseFormattedRecord } from '../../text/index.ts';

/** The row that a record holds: itself, or what it was formatted from. */
export const rowIn = (record: DataRecord): JsonObject =>
  'segments' in record && isObject(record.fields) ? record.fields : record;

/** A value of the row, or undefined if it is absent or null. */
export function valueIn(record: DataRecord, field: string): Json | undefined {
  const row = rowIn(record);
  return Object.hasOwn(row, field) ? (row[field] ?? undefined) : undefined;
}

/** The text that a rule is about: a field's, or the whole text of a formatted record. */
export function textIn(record: DataRecord, field: string | undefined): string {
  if (field !== undefined) {
    const value = valueIn(record, field);
    if (value !== undefined) return asText(value);
    throw missingField(record, field);
  }
  if (!('segments' in record))
    throw new UserError({
      code: 'no-text',
      message: 'it has no text, only fields',
      help: 'name the `field` that the rule is about, or put a `format` stage in front of this one',
    });
  return parseFormattedRecord(record)
    .segments.map(({ text }) => text)
    .join('');
}

export function missingField(record: DataRecord, field: string): UserError {
  const drop = `\`- { field: ${field}, present: true }\` before the rule drops such records`;
  return new UserError({
    code: 'missing-field',
    message: `it has no field \`${field}\``,
    help: `${fieldsOf(rowIn(record), field)}; ${drop}`,
  });
}

/** A conversation is its turns' texts; any other list or map is its JSON. */
function asText(value: Json): string {
  if (typeof value === 'string') return value;
  if (isList(value) && value.length > 0) {
    const turns = value.map(turnText);
    if (turns.every((text) => text !== undefined)) return turns.join('\n');
  }
  return jsonText(value);
}

function turnText(turn: Json): string | undefined {
  if (typeof turn === 'string') return turn;
  if (!isObject(turn) || (typeof turn.role !== 'string' && typeof turn.from !== 'string')) return undefined;
  const content = turn.content ?? turn.value ?? '';
  if (!isList(content)) return typeof content === 'string' ? content : undefined;
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('');
}
