import { ExactNumber, type Json, type JsonObject } from '../../core/index.ts';
import { Dict, isList, Markup, type Value } from './values.ts';

/** Called with the JSON pointer of each value that a template reads. */
export type NoteRead = (pointer: string) => void;

/** A JSON value as Python's `json.loads` makes it: a whole number is an int, any other a float. */
export function fromJson(value: Json, pointer = '', note?: NoteRead): Value {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof ExactNumber) return /^-?\d+$/.test(value.text) ? BigInt(value.text) : Number(value);
  if (Array.isArray(value))
    return value.map((item, index) => fromJson(item, note === undefined ? '' : `${pointer}/${index}`, note));
  return new InputDict(value as JsonObject, pointer, note); // the readonly list is left in the type
}

/** An object of the input. Its values are made when they are read. */
export class InputDict extends Dict {
  readonly #source: JsonObject;
  readonly #pointer: string;
  readonly #note: NoteRead | undefined;
  readonly #values = new Map<string, Value>();

  constructor(source: JsonObject, pointer = '', note?: NoteRead) {
    super();
    this.#source = source;
    this.#pointer = pointer;
    this.#note = note;
  }

  override get size(): number {
    return Object.keys(this.#source).length;
  }

  override has(key: Value): boolean {
    return this.#nameOf(key) !== undefined;
  }

  override get(key: Value): Value | undefined {
    const name = this.#nameOf(key);
    const source = name === undefined ? undefined : this.#source[name];
    if (name === undefined || source === undefined) return undefined;
    const pointer = this.#note === undefined ? '' : `${this.#pointer}/${escapePointer(name)}`;
    this.#note?.(pointer);
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const value = fromJson(source, pointer, this.#note);
    this.#values.set(name, value);
    return value;
  }

  override set(): never {
    throw new Error('A template cannot change its input');
  }

  override keys(): Iterable<Value> {
    return Object.keys(this.#source);
  }

  override *entries(): Iterable<readonly [Value, Value]> {
    for (const name of Object.keys(this.#source)) yield [name, this.get(name) ?? null];
  }

  #nameOf(key: Value): string | undefined {
    const name = key instanceof Markup ? key.text : key;
    if (isList(key) || key instanceof Dict) super.has(key); // throws: it is not hashable
    return typeof name === 'string' && Object.hasOwn(this.#source, name) ? name : undefined;
  }
}

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
