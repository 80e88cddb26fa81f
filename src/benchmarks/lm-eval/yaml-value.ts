import { readFile } from 'node:fs/promises';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { ExactNumber, type Json, UserError } from '../../core/index.ts';

/** A value of a YAML file with its place, and what JSON cannot hold of it. */
export interface YamlValue {
  readonly json: Json;
  /** `file:line`. */
  readonly place: string;
  /** `!function` tags in it: Python code, by its name. In `json` they are null. */
  readonly functions: readonly { readonly name: string; readonly place: string }[];
  /** A map's members; empty for other values. */
  readonly fields: ReadonlyMap<string, YamlValue>;
  /** A list's items; empty for other values. */
  readonly items: readonly YamlValue[];
  /** Whether each key of the map is a text in Python, too. */
  readonly hasTextKeys: boolean;
}

/** Aliases can multiply what a small file holds. */
const mostNodes = 200_000;

/** The value of a YAML file as PyYAML reads it. Throws a UserError that names file and line. */
export async function readYamlValue(path: string, name: string): Promise<YamlValue> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${String(code)})`;
    throw new UserError({ code: 'no-file', message: `${name}: ${reason}`, cause });
  });
  try {
    return parsedValue(text, name);
  } catch (error) {
    throw error instanceof RangeError ? badYaml(name, 'it is nested too deeply') : error;
  }
}

function parsedValue(text: string, name: string): YamlValue {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.1', lineCounter: lines, uniqueKeys: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const [message = ''] = error.message.split('\n');
    const reason = /call stack/.test(message)
      ? 'it is nested too deeply'
      : message.replace(/ at line \d+.*$/s, '');
    throw badYaml(`${name}:${lines.linePos(error.pos[0]).line}`, reason);
  }
  const reader = new NodeReader(document, (offset) => `${name}:${lines.linePos(offset).line}`);
  return reader.value(document.contents, `${name}:1`);
}

class NodeReader {
  readonly #document: Document;
  readonly #placeAt: (offset: number) => string;
  #nodes = 0;

  constructor(document: Document, placeAt: (offset: number) => string) {
    this.#document = document;
    this.#placeAt = placeAt;
  }

  value(node: unknown, around: string): YamlValue {
    const found = isAlias(node) ? node.resolve(this.#document) : node;
    const place = this.#placeOf(found) ?? around;
    this.#nodes += 1;
    if (this.#nodes > mostNodes) throw badYaml(place, 'its aliases make too much of it');
    if (isMap(found)) return this.#map(found, place);
    if (isSeq(found)) {
      const items = found.items.map((item) => this.value(item, place));
      return yamlValue({ place, json: items.map(({ json }) => json), items, functions: functionsIn(items) });
    }
    if (!isScalar(found)) return yamlValue({ place, json: null });
    if (found.tag === '!function')
      return yamlValue({ place, json: null, functions: [{ name: String(found.value), place }] });
    return yamlValue({ place, json: scalarValue(found, place) });
  }

  #map(map: YAMLMap, place: string): YamlValue {
    const fields = new Map<string, YamlValue>();
    let hasTextKeys = true;
    for (const pair of map.items) {
      const key = isScalar(pair.key) ? pair.key : undefined;
      if (key === undefined) throw badYaml(this.#placeOf(pair.key) ?? place, 'a key must be a text');
      if (key.value === '<<' || key.source === '<<') {
        for (const [name, value] of this.#merged(pair, place)) if (!fields.has(name)) fields.set(name, value);
        continue;
      }
      const keyPlace = this.#placeOf(key) ?? place;
      const name = scalarValue(key, keyPlace);
      if (typeof name !== 'string') hasTextKeys = false;
      if (this.#isRepeated(map, key))
        throw badYaml(keyPlace, `the key \`${name}\` comes twice in the same map`);
      // A field is where its key is.
      fields.set(String(name), { ...this.value(pair.value, keyPlace), place: keyPlace });
    }
    const json = Object.fromEntries([...fields].map(([name, { json }]) => [name, json]));
    return yamlValue({ place, json, fields, hasTextKeys, functions: functionsIn([...fields.values()]) });
  }

  #merged(pair: Pair, place: string): Iterable<readonly [string, YamlValue]> {
    const { fields, items } = this.value(pair.value, place);
    return [...fields, ...items.flatMap((item) => [...item.fields])];
  }

  #isRepeated(map: YAMLMap, key: Scalar): boolean {
    return map.items.some(
      (pair) => isScalar(pair.key) && pair.key !== key && pair.key.value === key.value && key.value !== '<<',
    );
  }

  #placeOf(node: unknown): string | undefined {
    const { range } = (node ?? {}) as Partial<Node>; // a node, or what a pair has instead of one
    return range ? this.#placeAt(range[0]) : undefined;
  }
}

type Parts = Pick<YamlValue, 'json' | 'place'> & Partial<YamlValue>;

export const yamlValue = (parts: Parts): YamlValue => ({
  functions: [],
  fields: new Map(),
  items: [],
  hasTextKeys: true,
  ...parts,
});

const functionsIn = (values: readonly YamlValue[]): YamlValue['functions'] =>
  values.flatMap(({ functions }) => functions);

/** A scalar as PyYAML reads it, for which `y` and `n` are texts. */
function scalarValue({ value, source, type }: Scalar, place: string): Json {
  if (type === 'PLAIN' && /^[yn]$/i.test(source ?? '')) return source ?? null;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return new ExactNumber(String(value));
  if (typeof value !== 'number')
    throw badYaml(place, `${source ?? 'a value'} is no text: put it in quotation marks`);
  const isFloat = /[.eE]/.test(source ?? '') && !/^[-+]?0x/i.test(source ?? '');
  return isFloat && Number.isInteger(value) ? new ExactNumber(value.toFixed(1)) : value;
}

const badYaml = (place: string, reason: string): UserError =>
  new UserError({ code: 'bad-yaml', message: `${place}: ${reason}` });
