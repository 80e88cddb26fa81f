import type { JsonObject } from '../../json.ts';
import { isObject } from '../../text/parse-record.ts';
import type { DataRecord } from '../../text/record.ts';

/** What a template can write: the record's fields and, for a response, those of the row that its prompt was made from. */
export function rowOf({ id: _, fields, segments: __, ...own }: DataRecord): JsonObject {
  return isObject(fields) ? { ...fields, ...own } : { ...own, ...(fields === undefined ? {} : { fields }) };
}
