import { PythonError, typeError, unsupported } from './python-error.ts';

/**
 * A Python value: None is null, an int a bigint, a float a number, a str a string, a list an array. The other types are
 * classes.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly Value[]
  | Tuple
  | Dict
  | Undefined
  | Namespace
  | Range
  | Iter
  | DictView
  | Markup
  | Callable
  | Attributes;

export class Tuple {
  readonly items: readonly Value[];
  /** Names of the items, as those of `groupby` have them. */
  readonly names: readonly string[];

  constructor(items: readonly Value[], names: readonly string[] = []) {
    this.items = items;
    this.names = names;
  }
}

let isStrict = false;

/** In a strict rendering what has no value cannot be printed or tested either. Renderings are synchronous: one setting is enough. */
export function setStrictness(strict: boolean): void {
  isStrict = strict;
}

/** The value of an expression that has none. Using it for more than printing and testing throws its message. */
export class Undefined {
  readonly message: string;
  readonly kind: 'UndefinedError' | 'SecurityError';

  constructor(message: string, kind: 'UndefinedError' | 'SecurityError' = 'UndefinedError') {
    this.message = message;
    this.kind = kind;
  }

  /** What a template that is not strict takes it for. */
  takenFor<Nothing>(nothing: Nothing): Nothing {
    return isStrict ? this.fail() : nothing;
  }

  fail(): never {
    throw new PythonError(this.kind, this.message);
  }
}

type Key = null | bigint | number | string | typeof Undefined;

/** A dict in the order of insertion. `1`, `1.0` and `True` are the same key. */
export class Dict {
  readonly #entries: Map<Key, readonly [key: Value, value: Value]>;

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    this.#entries = new Map();
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: Value): boolean {
    return this.#entries.has(keyOf(key));
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }

  set(key: Value, value: Value): void {
    const own = keyOf(key);
    this.#entries.set(own, [orElse(this.#entries.get(own)?.[0], key), value]);
  }

  *keys(): Iterable<Value> {
    for (const [key] of this.#entries.values()) yield key;
  }

  entries(): Iterable<readonly [Value, Value]> {
    return this.#entries.values();
  }
}

function keyOf(key: Value): Key {
  if (typeof key === 'string' || typeof key === 'bigint' || key === null) return key;
  if (typeof key === 'boolean') return key ? 1n : 0n;
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : key;
  if (key instanceof Undefined) return key.takenFor(Undefined);
  if (key instanceof Markup) return key.text;
  if (Array.isArray(key) || key instanceof Dict) throw typeError(`unhashable type: '${typeName(key)}'`);
  throw unsupported(`a ${typeName(key)} as a key`);
}

/** What `namespace(...)` makes: the only value that a template can change. */
export class Namespace {
  readonly fields: Map<string, Value>;

  constructor(fields: Iterable<readonly [string, Value]>) {
    this.fields = new Map(fields);
  }
}

export class Range {
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  readonly length: number;

  constructor(start: bigint, stop: bigint, step: bigint) {
    this.start = start;
    this.stop = stop;
    this.step = step;
    const span = step > 0n ? stop - start : start - stop;
    const size = step > 0n ? step : -step;
    this.length = span <= 0n ? 0 : Number((span + size - 1n) / size);
  }

  slice(from: bigint, to: bigint, step: bigint): Range {
    return new Range(this.start + from * this.step, this.start + to * this.step, this.step * step);
  }

  at(index: number): bigint {
    return this.start + BigInt(index) * this.step;
  }
}

/** What can be read once, such as the result of `map`. */
export class Iter {
  readonly #iterator: Iterator<Value>;

  constructor(values: Iterable<Value>) {
    this.#iterator = values[Symbol.iterator]();
  }

  *rest(): Iterable<Value> {
    for (let next = this.#iterator.next(); !next.done; next = this.#iterator.next()) yield next.value;
  }
}

/** `items()`, `keys()` and `values()` of a dict. */
export class DictView {
  readonly dict: Dict;
  readonly kind: 'items' | 'keys' | 'values';

  constructor(dict: Dict, kind: 'items' | 'keys' | 'values') {
    this.dict = dict;
    this.kind = kind;
  }

  *values(): Iterable<Value> {
    if (this.kind === 'keys') yield* this.dict.keys();
    else
      for (const [key, value] of this.dict.entries())
        yield this.kind === 'items' ? new Tuple([key, value]) : value;
  }
}

/** A text that counts as escaped HTML. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export interface Args {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** A function, method, macro or the like. */
export class Callable {
  readonly name: string;
  readonly type: string;
  readonly call: (args: Args) => Value;

  constructor(name: string, call: (args: Args) => Value, type = 'function') {
    this.name = name;
    this.call = call;
    this.type = type;
  }
}

/** An object with attributes only, such as `loop`. */
export interface Attributes {
  readonly type: string;
  readonly attribute: (name: string) => Value | undefined;
  readonly call?: (args: Args) => Value;
  readonly text: () => string;
}

/** The name that Python's errors give the type. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof Dict) return 'dict';
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Namespace) return 'Namespace';
  if (value instanceof Range) return 'range';
  if (value instanceof Iter) return 'generator';
  if (value instanceof DictView) return `dict_${value.kind}`;
  if (value instanceof Markup) return 'Markup';
  return (value as Callable | Attributes).type; // arrays are left in the type
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** Where None is a value too. */
export const orElse = (value: Value | undefined, otherwise: Value): Value =>
  value === undefined ? otherwise : value;

/** A str or Markup as text; undefined for others. */
export const textIn = (value: Value | undefined): string | undefined =>
  typeof value === 'string' ? value : value instanceof Markup ? value.text : undefined;

/** A bool, int or float; a bool counts as 0 or 1. */
export function numberIn(value: Value): bigint | number | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'bigint' || typeof value === 'number' ? value : undefined;
}

/** A bool or int. */
export function integerIn(value: Value | undefined): bigint | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'bigint' ? value : undefined;
}
