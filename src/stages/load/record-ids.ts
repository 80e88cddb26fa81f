import { createHash } from 'node:crypto';
import {
  canonicalJson,
  ExactNumber,
  type Json,
  type JsonObject,
  jsonText,
  UserError,
} from '../../core/index.ts';
import { type DataRecord, fieldsOf } from '../../text/index.ts';

const hashLength = 16;

/** Gives each record of a source an id that no other has. */
export class RecordIds {
  readonly #field: string | undefined;
  /** Id -> the line of the row that has it. */
  readonly #given = new Map<string, number>();
  readonly #equalRows = new Map<string, number>();

  /** `field`: the data's name of the field that holds the ids, if any. */
  constructor(field: string | undefined) {
    this.#field = field;
  }

  /**
   * The row as a record. Its id is the named field of the data, else its field `id`, else the hash of its content, with
   * an ordinal from the second of equal rows on (`-2`).
   */
  identify(row: JsonObject, { data, line }: { data: JsonObject; line: number }): DataRecord {
    const given = this.#field === undefined ? row.id : data[this.#field];
    if (given !== undefined && given !== null) return withFirstId(this.#claim(idText(given), line), row);
    if (this.#field !== undefined) throw missingId(data, this.#field);
    return withFirstId(this.#claim(this.#contentId(row), line), row);
  }

  #claim(id: string, line: number): string {
    const before = this.#given.get(id);
    if (before !== undefined) {
      throw new UserError({
        code: 'duplicate-id',
        message: `its id ${JSON.stringify(id)} is already the id of line ${before}`,
        help: 'name a field whose values differ as `id`, or rename this one with `fields` to get ids from the content',
      });
    }
    this.#given.set(id, line);
    return id;
  }

  #contentId(row: JsonObject): string {
    const hash = createHash('sha256').update(canonicalJson(row)).digest('hex').slice(0, hashLength);
    const ordinal = (this.#equalRows.get(hash) ?? 0) + 1;
    this.#equalRows.set(hash, ordinal);
    return ordinal === 1 ? hash : `${hash}-${ordinal}`;
  }
}

function missingId(data: JsonObject, field: string): UserError {
  return new UserError({
    code: 'missing-field',
    message: Object.hasOwn(data, field) ? `its field \`${field}\` is null` : `it has no field \`${field}\``,
    help: `${fieldsOf(data, field)}; \`id\` names the field that holds each row's id, and without it ids come from the content`,
  });
}

function withFirstId(id: string, { id: _, ...row }: JsonObject): DataRecord {
  return { id, ...row };
}

function idText(value: Json): string {
  if (typeof value === 'string' && value !== '') return value;
  if (value instanceof ExactNumber || Number.isInteger(value)) return String(value);
  throw new UserError({
    code: 'bad-id',
    message: `${jsonText(value)} cannot be an id`,
    help: 'an id is a text or a whole number',
  });
}
