import { type JsonObject, jsonText, numberIn, UserError } from '../../core/index.ts';
import { fieldsOf } from '../template/row-field.ts';

/** KTO's name in TRL, and LLaMA-Factory's. */
const labelFields = ['label', 'kto_tag'];

/** A row of one answer, and whether its label says that the answer is desirable. */
export interface JudgedRow {
  readonly row: JsonObject;
  readonly desirable: boolean;
}

/** Reads the label of a row: true or false, or 1 or 0. Throws a UserError if it has none. */
export function judgedRow(row: JsonObject): JudgedRow {
  const name = labelFields.find((field) => row[field] !== undefined && row[field] !== null);
  if (name === undefined)
    throw new UserError({
      code: 'missing-field',
      message: 'it has no `label`',
      help: `a row of \`preference: unpaired\` says with \`label: true\` or \`false\` whether its answer is desirable; ${fieldsOf(row)}`,
    });
  const value = row[name] ?? null;
  const flag = typeof value === 'boolean' ? Number(value) : numberIn(value);
  if (flag !== 0 && flag !== 1)
    throw new UserError({
      code: 'bad-label',
      message: `its \`${name}\` is ${jsonText(value)}, which is neither true nor false`,
      help: 'a label is true or false, or 1 or 0',
    });
  const rest = Object.fromEntries(Object.entries(row).filter(([field]) => field !== name));
  return { row: rest, desirable: flag === 1 };
}
