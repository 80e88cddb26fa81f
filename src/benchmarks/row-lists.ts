import { type Json, type JsonObject, UserError } from '../core/index.ts';
import { missingField } from '../text/index.ts';

/** The texts of a field that the row must have as a list. */
export function textList(row: JsonObject, name: string): readonly string[] {
  const value = listAt(row, name);
  if (value.every((item) => typeof item === 'string')) return value;
  throw unfit(row, name, 'a list of texts');
}

/** The numbers of a field that the row must have as a list. */
export function numberList(row: JsonObject, name: string): readonly number[] {
  const value = listAt(row, name);
  if (value.every((item) => typeof item === 'number')) return value;
  throw unfit(row, name, 'a list of numbers');
}

/** A text, a number or a truth value of a field that the row must have, as text. */
export function labelText(row: JsonObject, name: string): string {
  const value = row[name];
  if (value === undefined || value === null) throw missingField(row, name);
  if (typeof value === 'object') throw unfit(row, name, 'a label');
  return String(value);
}

/** The label's place among those that a task has. */
export function labelIndex(row: JsonObject, labels: readonly string[]): number {
  const index = labels.indexOf(labelText(row, 'label'));
  if (index !== -1) return index;
  throw unfit(row, 'label', `one of ${labels.join(', ')}`);
}

function listAt(row: JsonObject, name: string): readonly Json[] {
  const value = row[name];
  if (value === undefined || value === null) throw missingField(row, name);
  if (Array.isArray(value)) return value;
  throw unfit(row, name, 'a list');
}

const unfit = (row: JsonObject, name: string, expected: string): UserError =>
  new UserError({
    code: 'bad-field',
    message: `its field \`${name}\` is ${JSON.stringify(row[name]).slice(0, 60)}; it must be ${expected}`,
    help: 'read the benchmark with `as:` in the load stage',
  });
