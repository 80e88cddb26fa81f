import { compareText } from './code-points.ts';
import { typeError } from './python-error.ts';
import { isIterable, iterate } from './sequences.ts';
import {
  Dict,
  DictView,
  isList,
  Markup,
  numberIn,
  Range,
  Tuple,
  textIn,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** Python's `bool(value)`. */
export function isTrue(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (value === null || value === 0 || value === 0n || value === '') return false;
  if (isList(value)) return value.length > 0;
  if (value instanceof Tuple) return value.items.length > 0;
  if (value instanceof Dict) return value.size > 0;
  if (value instanceof DictView) return value.dict.size > 0;
  if (value instanceof Range) return value.length > 0;
  if (value instanceof Markup) return value.text !== '';
  return value instanceof Undefined ? value.takenFor(false) : true;
}

/** Python's `==`. */
export function equals(a: Value, b: Value): boolean {
  for (const side of [a, b]) if (side instanceof Undefined) side.takenFor(false);
  if (a === b) return true;
  const [left, right] = [numberIn(a), numberIn(b)];
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint equals a number of the same size only this way
  if (left !== undefined && right !== undefined) return left == right;
  const [text, other] = [textIn(a), textIn(b)];
  if (text !== undefined && other !== undefined) return text === other;
  if (isList(a) && isList(b)) return sameItems(a, b);
  if (a instanceof Tuple && b instanceof Tuple) return sameItems(a.items, b.items);
  if (a instanceof Range && b instanceof Range) return sameItems([...iterate(a)], [...iterate(b)]);
  if (a instanceof Undefined && b instanceof Undefined) return true;
  if (!(a instanceof Dict && b instanceof Dict)) return false;
  if (a.size !== b.size) return false;
  for (const [key, value] of a.entries()) {
    const counterpart = b.get(key);
    if (counterpart === undefined || !equals(value, counterpart)) return false;
  }
  return true;
}

const sameItems = (a: readonly Value[], b: readonly Value[]): boolean =>
  a.length === b.length && a.every((item, index) => equals(item, b[index] ?? null));

export type Comparison = '<' | '<=' | '>' | '>=';

/** Python's ordering comparisons. */
export function compare(operator: Comparison, a: Value, b: Value): boolean {
  if (a instanceof Undefined) return a.fail();
  if (b instanceof Undefined) return b.fail();
  const [left, right] = [numberIn(a), numberIn(b)];
  if (left !== undefined && right !== undefined) return holds(operator, left, right);
  const [text, other] = [textIn(a), textIn(b)];
  if (text !== undefined && other !== undefined) return holds(operator, compareText(text, other), 0);
  const lists =
    isList(a) && isList(b) ? [a, b] : a instanceof Tuple && b instanceof Tuple ? [a.items, b.items] : [];
  const [items, others] = lists;
  if (items === undefined || others === undefined)
    throw typeError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
  for (const [index, item] of items.entries()) {
    const counterpart = others[index];
    if (counterpart === undefined) break;
    if (!equals(item, counterpart)) return compare(operator, item, counterpart);
  }
  return holds(operator, items.length, others.length);
}

function holds(operator: Comparison, a: bigint | number, b: bigint | number): boolean {
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  return operator === '>' ? a > b : a >= b;
}

/** Python's `item in container`. */
export function contains(container: Value, item: Value): boolean {
  const text = textIn(container);
  if (text !== undefined) {
    const part = textIn(item);
    if (part !== undefined) return text.includes(part);
    throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (container instanceof Dict) return container.has(item);
  if (container instanceof DictView && container.kind === 'keys') return container.dict.has(item);
  if (isIterable(container)) {
    for (const one of iterate(container)) if (equals(one, item)) return true;
    return false;
  }
  throw typeError(`argument of type '${typeName(container)}' is not iterable`);
}
