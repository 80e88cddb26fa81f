import { codePointCount, indexable } from './code-points.ts';
import { growList } from './growth.ts';
import { typeError } from './python-error.ts';
import {
  Dict,
  DictView,
  Iter,
  isList,
  Range,
  Tuple,
  textIn,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

export const isIterable = (value: Value): boolean =>
  textIn(value) !== undefined ||
  isList(value) ||
  [Tuple, Dict, DictView, Range, Iter, Undefined].some((type) => value instanceof type);

export function iterate(value: Value): Iterable<Value> {
  if (isList(value)) return value;
  const text = textIn(value);
  if (text !== undefined) return text;
  if (value instanceof Tuple) return value.items;
  if (value instanceof Dict) return value.keys();
  if (value instanceof DictView) return value.values();
  if (value instanceof Iter) return value.rest();
  if (value instanceof Range) return Array.from({ length: value.length }, (_, index) => value.at(index));
  if (value instanceof Undefined) return value.takenFor([]);
  throw typeError(`'${typeName(value)}' object is not iterable`);
}

/** Python's `list(value)`. */
export function listOf(value: Value): readonly Value[] {
  const list = [...iterate(value)];
  growList(list.length);
  return list;
}

/** Python's `len(value)`. */
export function lengthOf(value: Value): number {
  const text = textIn(value);
  if (text !== undefined) return codePointCount(text);
  if (isList(value)) return value.length;
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof DictView) return value.dict.size;
  if (value instanceof Range) return value.length;
  if (value instanceof Undefined) return value.takenFor(0);
  throw typeError(`object of type '${typeName(value)}' has no len()`);
}

/** The item at an index of a str, list, tuple or range; undefined if it is out of range. */
export function itemAt(value: Value, index: bigint): Value | undefined {
  const text = textIn(value);
  const items =
    text !== undefined
      ? indexable(text)
      : value instanceof Tuple
        ? value.items
        : isList(value)
          ? value
          : undefined;
  const length = BigInt(items?.length ?? (value instanceof Range ? value.length : 0));
  const at = index < 0n ? index + length : index;
  if (at < 0n || at >= length) return undefined;
  return value instanceof Range ? value.at(Number(at)) : items?.[Number(at)];
}
