import type { JsonObject } from '../../json.ts';

/**
 * A row with the names that `fields` gives (ours -> the data's), followed by its other fields. A name of the data can
 * be given to several fields; a field that the data does not have stays absent.
 */
export function renameFields(row: JsonObject, fields: Readonly<Record<string, string>>): JsonObject {
  const renamed = Object.entries(fields).flatMap(([ours, theirs]) => {
    const value = Object.hasOwn(row, theirs) ? row[theirs] : undefined;
    return value === undefined ? [] : [[ours, value] as const];
  });
  const taken = new Set(Object.entries(fields).flat());
  return Object.fromEntries([...renamed, ...Object.entries(row).filter(([name]) => !taken.has(name))]);
}
