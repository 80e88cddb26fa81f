import { isObject, type Json, type JsonObject, UserError } from '../core/index.ts';
import { parseJson } from '../formats/index.ts';
import { type BenchmarkFile, readText } from './benchmark-file.ts';

/** A value and its place in a file. */
export interface Located {
  readonly value: Json;
  readonly file: string;
  /** Its line, in a file with one value per line. */
  readonly line?: number;
  /** Its path within the file or line: `data[3].title`; empty for the whole. */
  readonly path: string;
}

/** As errors name it: `dev.json: data[3].title`, `val.jsonl:7: idx`. */
export const placeOf = ({ file, line, path }: Located): string =>
  `${file}${line === undefined ? '' : `:${line}`}${path === '' ? '' : `: ${path}`}`;

/** The value of a required field. */
export function fieldOf(at: Located, name: string): Located {
  const found = optionalField(at, name);
  if (found !== undefined) return found;
  const names = Object.keys(objectOf(at)).slice(0, 20).join(', ');
  throw new UserError({
    code: 'missing-field',
    message: `${placeOf(at)} has no field \`${name}\`; it has ${names === '' ? 'none' : names}`,
  });
}

/** The value of a field; undefined if it is absent or null. */
export function optionalField(at: Located, name: string): Located | undefined {
  const value = Object.hasOwn(objectOf(at), name) ? objectOf(at)[name] : undefined;
  return value === undefined || value === null ? undefined : { ...at, value, path: below(at, name) };
}

export const fieldsOf = (at: Located): readonly (readonly [string, Located])[] =>
  Object.entries(objectOf(at)).map(([name, value]) => [name, { ...at, value, path: below(at, name) }]);

export function itemsOf(at: Located): readonly Located[] {
  if (!Array.isArray(at.value)) throw unfit(at, 'a list');
  return at.value.map((value: Json, index) => ({ ...at, value, path: `${at.path}[${index}]` }));
}

export function textOf(at: Located): string {
  if (typeof at.value === 'string') return at.value;
  throw unfit(at, 'a text');
}

export function numberOf(at: Located): number {
  if (typeof at.value === 'number') return at.value;
  throw unfit(at, 'a number');
}

export function booleanOf(at: Located): boolean {
  if (typeof at.value === 'boolean') return at.value;
  throw unfit(at, 'true or false');
}

/** A text, number or boolean as text: labels are written in all three ways. */
export function labelOf(at: Located): string {
  if (at.value === null || typeof at.value === 'object') throw unfit(at, 'a label');
  return String(at.value);
}

function objectOf(at: Located): JsonObject {
  if (isObject(at.value)) return at.value;
  throw unfit(at, 'an object');
}

/** `expected` continues "must be ...". */
export function unfit(at: Located, expected: string): UserError {
  const shown = JSON.stringify(at.value).slice(0, 100);
  return new UserError({ code: 'bad-value', message: `${placeOf(at)} must be ${expected}, but is ${shown}` });
}

const below = ({ path }: Located, name: string): string => (path === '' ? name : `${path}.${name}`);

/** The value of a JSON file. `allowsTrailingCommas` accepts the commas that hand-written files often have. */
export async function readJson(file: BenchmarkFile, { allowsTrailingCommas = false } = {}): Promise<Located> {
  const written = await readText(file);
  const text = allowsTrailingCommas ? withoutTrailingCommas(written) : written;
  return { value: parseJson(text, { path: file.name }), file: file.name, path: '' };
}

interface LocatedLine extends Located {
  readonly line: number;
}

/** The values of a JSONL file; empty lines are skipped. */
export async function readJsonLines(file: BenchmarkFile): Promise<readonly LocatedLine[]> {
  const lines = (await readText(file)).split('\n');
  return lines.flatMap((text, index) => {
    if (text.trim() === '') return [];
    const line = index + 1;
    const value = parseJson(text, { path: file.name, firstLine: line });
    return [{ value, file: file.name, line, path: '' }];
  });
}

/** Replaces each by a space, so that errors name the right column. */
const withoutTrailingCommas = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\.)*")|,(\s*[}\]])/g, (_, string?: string, end = '') => string ?? ` ${end}`);
