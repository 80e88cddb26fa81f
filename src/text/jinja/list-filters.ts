import { bind, indexOf } from './arguments.ts';
import { binary } from './arithmetic.ts';
import { ownAttribute } from './attributes.ts';
import { compare, equals, isTrue } from './comparison.ts';
import type { Filter } from './filter.ts';
import { growList } from './growth.ts';
import { PythonError, typeError, unsupported } from './python-error.ts';
import { iterate, lengthOf, listOf } from './sequences.ts';
import { attributeGetter, attributesGetter } from './value-paths.ts';
import { Dict, DictView, Iter, orElse, Tuple, textIn, typeName, Undefined, type Value } from './values.ts';

/** Filters of lists and dicts. */
export const listFilters: Readonly<Record<string, Filter>> = {
  attr: (value, args) => {
    const [name] = bind('attr', ['name'], args, 1);
    const text = textIn(name);
    if (text === undefined) throw typeError('attribute name must be string');
    if (value instanceof Undefined) return value.fail();
    return (
      ownAttribute(value, text) ?? new Undefined(`'${typeName(value)} object' has no attribute '${text}'`)
    );
  },
  batch: (value, args) => {
    const [size, fill] = bind('batch', ['linecount', 'fill_with'], args, 1);
    return new Iter(batches(listOf(value), indexOf(size, 0), fill ?? null));
  },
  count: (value) => BigInt(lengthOf(value)),
  dictsort: (value, args) => {
    const [caseSensitive, by, reverse] = bind('dictsort', ['case_sensitive', 'by', 'reverse'], args);
    const place = by === undefined ? 0 : ['key', 'value'].indexOf(textIn(by) ?? '');
    if (place === -1) throw typeError('You can only sort by either "key" or "value"');
    if (value instanceof Undefined) return value.fail();
    if (!(value instanceof Dict)) throw typeError(`'${typeName(value)}' object has no attribute 'items'`);
    const fold = foldUnless(caseSensitive);
    const items = [...value.entries()].map((entry) => new Tuple(entry));
    return sorted(items, {
      key: (item) => fold((item as Tuple).items[place] ?? null),
      reverse: truth(reverse),
    });
  },
  first: (value) => {
    for (const item of iterate(value)) return item;
    return new Undefined('No first item, sequence was empty.');
  },
  groupby: (value, args) => {
    const [attribute, otherwise, caseSensitive] = bind(
      'groupby',
      ['attribute', 'default', 'case_sensitive'],
      args,
      1,
    );
    const get = attributeGetter(attribute ?? null, otherwise);
    const fold = foldUnless(caseSensitive);
    return groups(sorted(listOf(value), { key: (item) => fold(get(item)) }), { get, fold });
  },
  items: (value) => {
    if (value instanceof Undefined) return value.takenFor(new Iter([]));
    if (!(value instanceof Dict)) throw typeError('Can only get item pairs from a mapping.');
    return new Iter(new DictView(value, 'items').values());
  },
  last: (value) => {
    if (value instanceof Iter) throw typeError("'generator' object is not reversible");
    return orElse([...iterate(value)].at(-1), new Undefined('No last item, sequence was empty.'));
  },
  length: (value) => BigInt(lengthOf(value)),
  list: (value) => listOf(value),
  max: (value, args) => extreme(value, args, '>'),
  min: (value, args) => extreme(value, args, '<'),
  reverse: (value) => {
    if (typeof value === 'string') return [...value].reverse().join('');
    if (value instanceof Iter) return listOf(value).toReversed();
    if (value instanceof Undefined) return value.takenFor(new Iter([]));
    return new Iter([...iterate(value)].reverse());
  },
  slice: (value, args) => {
    const [count, fill] = bind('slice', ['slices', 'fill_with'], args, 1);
    return new Iter(slices(listOf(value), indexOf(count, 0), fill ?? null));
  },
  sort: (value, args) => {
    const [reverse, caseSensitive, attribute] = bind(
      'sort',
      ['reverse', 'case_sensitive', 'attribute'],
      args,
    );
    const get = attributesGetter(attribute ?? null);
    const fold = foldUnless(caseSensitive);
    return sorted(listOf(value), { key: (item) => get(item).map(fold), reverse: truth(reverse) });
  },
  sum: (value, args) => {
    const [attribute, start] = bind('sum', ['attribute', 'start'], args);
    const get = attributeGetter(attribute ?? null);
    if (typeof start === 'string') throw typeError("sum() can't sum strings [use ''.join(seq) instead]");
    let sum = orElse(start, 0n);
    for (const item of iterate(value)) sum = binary('+', sum, get(item));
    return sum;
  },
  unique: (value, args) => {
    const [caseSensitive, attribute] = bind('unique', ['case_sensitive', 'attribute'], args);
    const get = attributeGetter(attribute ?? null);
    const fold = foldUnless(caseSensitive);
    const seen = new Dict();
    return new Iter(
      listOf(value).filter((item) => {
        const key = fold(get(item));
        const isNew = !seen.has(key);
        if (isNew) seen.set(key, null);
        return isNew;
      }),
    );
  },
};

const truth = (value: Value | undefined): boolean => value !== undefined && isTrue(value);

/** Filters compare texts without their case unless they are asked not to. */
const foldUnless =
  (caseSensitive: Value | undefined) =>
  (value: Value): Value =>
    typeof value === 'string' && !truth(caseSensitive) ? value.toLowerCase() : value;

function sorted(
  items: readonly Value[],
  { key, reverse = false }: { key: (item: Value) => Value; reverse?: boolean },
): readonly Value[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  const [a, b] = reverse ? [1, -1] : [-1, 1];
  // Stable in both directions, as Python's sort is.
  keyed.sort((one, other) =>
    compare('<', one.key, other.key) ? a : compare('<', other.key, one.key) ? b : 0,
  );
  return keyed.map(({ item }) => item);
}

function groups(
  items: readonly Value[],
  { get, fold }: { get: (item: Value) => Value; fold: (value: Value) => Value },
): readonly Value[] {
  const found: { key: Value; members: Value[] }[] = [];
  for (const item of items) {
    const key = fold(get(item));
    const last = found.at(-1);
    if (last !== undefined && equals(last.key, key)) last.members.push(item);
    else found.push({ key, members: [item] });
  }
  return found.map(({ members }) => new Tuple([get(members[0] ?? null), members], ['grouper', 'list']));
}

function extreme(value: Value, args: Parameters<Filter>[1], operator: '<' | '>'): Value {
  const name = operator === '<' ? 'min' : 'max';
  const [caseSensitive, attribute] = bind(name, ['case_sensitive', 'attribute'], args);
  const get = attributeGetter(attribute ?? null);
  const fold = foldUnless(caseSensitive);
  let best: { readonly item: Value; readonly key: Value } | undefined;
  for (const item of iterate(value)) {
    const key = fold(get(item));
    if (best === undefined || compare(operator, key, best.key)) best = { item, key };
  }
  return best === undefined ? new Undefined('No aggregated item, sequence was empty.') : best.item;
}

function* batches(items: readonly Value[], size: number, fill: Value): Iterable<Value> {
  if (size < 1) throw unsupported('`batch` of less than one');
  for (let start = 0; start < items.length; start += size) {
    const batch = items.slice(start, start + size);
    growList(size);
    yield fill === null ? batch : [...batch, ...Array<Value>(size - batch.length).fill(fill)];
  }
}

function* slices(items: readonly Value[], count: number, fill: Value): Iterable<Value> {
  if (count === 0) throw new PythonError('ZeroDivisionError', 'integer division or modulo by zero');
  if (count < 0) return;
  growList(count);
  const size = Math.floor(items.length / count);
  const longer = items.length % count;
  for (let index = 0, start = 0; index < count; index++) {
    const end = start + size + (index < longer ? 1 : 0);
    const part = items.slice(start, end);
    yield fill !== null && index >= longer ? [...part, fill] : part;
    start = end;
  }
}
