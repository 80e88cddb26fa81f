import {
  isList,
  isObject,
  type Json,
  type JsonObject,
  jsonText,
  numberIn,
  UserError,
} from '../core/index.ts';
import { missingField } from '../text/index.ts';

/** The texts of a required list. */
export function textList(row: JsonObject, name: string): readonly string[] {
  const value = listAt(row, name);
  if (value.every((item) => typeof item === 'string')) return value;
  throw unfit(row, name, 'a list of texts');
}

/** The numbers of a required list. */
export function numberList(row: JsonObject, name: string): readonly number[] {
  const numbers = listAt(row, name).map(numberIn);
  if (numbers.every((item) => item !== undefined)) return numbers;
  throw unfit(row, name, 'a list of numbers');
}

/** A required text, number or boolean, as text; the label 1.0 is that of 1. */
export function labelText(row: JsonObject, name: string): string {
  const value = row[name];
  if (value === undefined || value === null) throw missingField(row, name);
  if (isList(value) || isObject(value)) throw unfit(row, name, 'a label');
  const number = numberIn(value);
  return String(number !== undefined && Number.isSafeInteger(number) ? number : value);
}

/** The index of the row's label among those of its task. */
export function labelIndex(row: JsonObject, labels: readonly string[]): number {
  const index = labels.indexOf(labelText(row, 'label'));
  if (index !== -1) return index;
  throw unfit(row, 'label', `one of ${labels.join(', ')}`);
}

/** The texts of a list; undefined for anything else than a list of texts. */
export const textsIn = (value: Json | undefined): readonly string[] | undefined =>
  Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;

/** Those items of a list that are texts. */
export const textsAmong = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

function listAt(row: JsonObject, name: string): readonly Json[] {
  const value = row[name];
  if (value === undefined || value === null) throw missingField(row, name);
  if (Array.isArray(value)) return value;
  throw unfit(row, name, 'a list');
}

const unfit = (row: JsonObject, name: string, expected: string): UserError =>
  new UserError({
    code: 'bad-field',
    message: `its field \`${name}\` is ${jsonText(row[name]).slice(0, 60)}; it must be ${expected}`,
    help: 'read the benchmark with `as:` in the load stage',
  });
