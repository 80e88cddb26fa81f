import { bind } from './arguments.ts';
import { isTrue } from './comparison.ts';
import type { Filter } from './filter.ts';
import { listFilters } from './list-filters.ts';
import { numberFilters } from './number-filters.ts';
import { PythonError, typeError, unsupported } from './python-error.ts';
import { iterate } from './sequences.ts';
import { tests } from './tests.ts';
import { textFilters } from './text-filters.ts';
import { attributeGetter } from './value-paths.ts';
import { type Args, Iter, orElse, textIn, Undefined, type Value } from './values.ts';

const filters: Readonly<Record<string, Filter>> = {
  ...listFilters,
  ...numberFilters,
  ...textFilters,
  d: (value, args) => defaultFilter(value, args),
  default: (value, args) => defaultFilter(value, args),
  map: (value, { positional, named }) => {
    const change = mapper(positional, named);
    return new Iter(mapped(isTrue(value) ? iterate(value) : [], change));
  },
  reject: (value, args) => selected(value, args, { of: 'items', wanted: false }),
  rejectattr: (value, args) => selected(value, args, { of: 'attributes', wanted: false }),
  select: (value, args) => selected(value, args, { of: 'items', wanted: true }),
  selectattr: (value, args) => selected(value, args, { of: 'attributes', wanted: true }),
};

/** Filters that Jinja has and this engine does not. */
const unsupportedFilters = ['pprint', 'random', 'urlize', 'wordwrap', 'xmlattr'];

/** Whether Jinja knows a filter or test of that name. */
export const isFilter = (name: string): boolean =>
  Object.hasOwn(filters, name) || unsupportedFilters.includes(name);
export const isTest = (name: string): boolean =>
  Object.hasOwn(tests, name) || name === 'filter' || name === 'test';

export function applyFilter(name: string, value: Value, args: Args): Value {
  const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
  // A filter without a parameter for its arguments takes none.
  if (filter?.length === 1) bind(name, [], args);
  if (filter !== undefined) return filter(value, args);
  if (isFilter(name)) throw unsupported(`the filter \`${name}\``);
  throw new PythonError('RuntimeError', `No filter named '${name}'.`);
}

export function applyTest(name: string, value: Value, args: Args): boolean {
  const test = Object.hasOwn(tests, name) ? tests[name] : undefined;
  if (test?.length === 1) bind(name, [], args);
  if (test !== undefined) return test(value, args);
  if (name === 'filter') return isFilter(textIn(value) ?? '');
  if (name === 'test') return isTest(textIn(value) ?? '');
  throw new PythonError('RuntimeError', `No test named '${name}'.`);
}

function defaultFilter(value: Value, args: Args): Value {
  const [otherwise, boolean] = bind('default', ['default_value', 'boolean'], args);
  const replaces = value instanceof Undefined || (boolean !== undefined && isTrue(boolean) && !isTrue(value));
  return replaces ? orElse(otherwise, '') : value;
}

function mapper(positional: readonly Value[], named: ReadonlyMap<string, Value>): (item: Value) => Value {
  const attribute = named.get('attribute');
  if (positional.length === 0 && attribute !== undefined) {
    const [other] = [...named.keys()].filter((name) => name !== 'attribute' && name !== 'default');
    if (other !== undefined) throw typeError(`Unexpected keyword argument '${other}'`);
    return attributeGetter(attribute, named.get('default'));
  }
  const [name, ...rest] = positional;
  if (name === undefined) throw typeError('map requires a filter argument');
  return (item) => applyFilter(textIn(name) ?? '', item, { positional: rest, named });
}

function* mapped(values: Iterable<Value>, change: (item: Value) => Value): Iterable<Value> {
  for (const value of values) yield change(value);
}

function selected(
  value: Value,
  { positional, named }: Args,
  { of, wanted }: { of: 'items' | 'attributes'; wanted: boolean },
): Iter {
  return new Iter(select());
  function* select(): Iterable<Value> {
    if (!isTrue(value)) return;
    const [attribute, ...afterAttribute] = positional;
    if (of === 'attributes' && attribute === undefined)
      throw typeError('Missing parameter for attribute name');
    const get = of === 'attributes' ? attributeGetter(attribute ?? null) : (item: Value): Value => item;
    const [name, ...rest] = of === 'attributes' ? afterAttribute : positional;
    for (const item of iterate(value)) {
      const tested = get(item);
      const passes =
        name === undefined
          ? isTrue(tested)
          : applyTest(textIn(name) ?? '', tested, { positional: rest, named });
      if (passes === wanted) yield item;
    }
  }
}
