import { createHash } from 'node:crypto';
import { canonicalJson, isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { type DataRecord, datasetField, fieldsOf } from '../../text/index.ts';
import { rowIn, textIn } from './row-text.ts';

/** What two records have in common exactly if they count as equal: the hash of their compared fields. */
export function equalityOf(
  how: 'exact' | 'normalized',
  fields: readonly string[] | undefined,
): (record: DataRecord) => string {
  return (record) => {
    const compared = comparedFields(record, fields);
    const value = how === 'exact' ? compared : normalizedValues(compared);
    return createHash('sha256').update(canonicalJson(value)).digest('base64');
  };
}

/** In lowercase, by Unicode's compatibility forms, and with every run of white space as one space. */
export const normalizeText = (text: string): string =>
  text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();

function normalizedValues(value: Json): Json {
  if (typeof value === 'string') return normalizeText(value);
  if (isList(value)) return value.map(normalizedValues);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normalizedValues(item)]));
}

/** The named fields of the row, or all but its id and the name of its source. */
function comparedFields(record: DataRecord, fields: readonly string[] | undefined): JsonObject {
  const row = rowIn(record);
  if (fields === undefined) {
    const { id: _, [datasetField]: __, ...compared } = row;
    return compared;
  }
  const present = fields.filter((name) => row[name] !== undefined && row[name] !== null);
  if (present.length === 0)
    throw new UserError({
      code: 'missing-field',
      message: `it has none of the fields ${fields.map((name) => `\`${name}\``).join(', ')} that are compared`,
      help: fieldsOf(row, fields[0]),
    });
  // An empty field and an absent one are the same: half of Alpaca's rows have an empty input.
  return Object.fromEntries(
    present.filter((name) => row[name] !== '').map((name) => [name, row[name] ?? null]),
  );
}

/** All runs of `count` words in the compared fields; of fewer words, all of them as one. */
export function* ngramsOf(
  record: DataRecord,
  { fields, count }: { readonly fields: readonly string[] | undefined; readonly count: number },
): Generator<string> {
  const names = Object.keys(comparedFields(record, fields));
  const text = names.map((name) => textIn(record, name)).join(' ');
  const words = normalizeText(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length === 0) return;
  if (words.length < count) yield words.join(' ');
  for (let start = 0; start + count <= words.length; start += 1)
    yield words.slice(start, start + count).join(' ');
}
