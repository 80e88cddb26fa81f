import { bind, bindPositional } from './arguments.ts';
import { indexable } from './code-points.ts';
import { equals } from './comparison.ts';
import { PythonError, typeError, unsupported, valueError } from './python-error.ts';
import { repr, textOf } from './python-text.ts';
import { formatText } from './replacement-fields.ts';
import { itemAt, iterate, lengthOf } from './sequences.ts';
import { textMethods } from './text-methods.ts';
import {
  type Args,
  type Attributes,
  Callable,
  Dict,
  DictView,
  integerIn,
  isList,
  Markup,
  Namespace,
  orElse,
  Range,
  Tuple,
  textIn,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** Jinja's `value.name`: the attribute, else the item of that name, else undefined. */
export function getAttribute(value: Value, name: string): Value {
  if (value instanceof Undefined) return value.fail();
  const attribute = ownAttribute(value, name);
  if (attribute !== undefined) return attribute;
  const item = itemOf(value, name);
  return item === undefined ? absent(value, name) : item;
}

/** Jinja's `value[key]`: the item, else the attribute of that name, else undefined. */
export function getItem(value: Value, key: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const item = itemOf(value, key);
  if (item !== undefined) return item;
  const name = textIn(key);
  const attribute = name === undefined ? undefined : ownAttribute(value, name);
  return attribute === undefined ? absent(value, key) : attribute;
}

function itemOf(value: Value, key: Value): Value | undefined {
  if (value instanceof Dict) return isList(key) || key instanceof Dict ? undefined : value.get(key);
  const index = integerIn(key);
  return index === undefined ? undefined : itemAt(value, index);
}

const homes: Readonly<Record<string, string>> = {
  Namespace: 'jinja2.utils.Namespace',
  Macro: 'jinja2.runtime.Macro',
  LoopContext: 'jinja2.runtime.LoopContext',
};

function absent(value: Value, key: Value): Undefined {
  const type = typeName(value);
  const object = value === null ? 'None' : `${homes[type] ?? type} object`;
  return new Undefined(
    typeof key === 'string'
      ? `${repr(object)} has no attribute ${repr(key)}`
      : `${object} has no element ${repr(key)}`,
  );
}

/** The attribute that Python's object has. What could change a value or reach beyond it is undefined, as in the sandbox. */
export function ownAttribute(value: Value, name: string): Value | undefined {
  if (value instanceof Namespace) return value.fields.get(name);
  const type = typeName(value);
  if (/^__\w+__$/.test(name) || mutators[type]?.includes(name))
    return new Undefined(
      `access to attribute ${repr(name)} of ${repr(type)} object is unsafe.`,
      'SecurityError',
    );
  if (isAttributes(value)) return value.attribute(name);
  const method = methodOf(value, name);
  if (method !== undefined) return new Callable(name, method, 'builtin_function_or_method');
  if (value instanceof Tuple && value.names.includes(name)) return value.items[value.names.indexOf(name)];
  if (value instanceof Callable && type === 'Macro' && name === 'name') return value.name;
  if (value instanceof Range && (name === 'start' || name === 'stop' || name === 'step')) return value[name];
  if (typeof value === 'bigint' && (name === 'real' || name === 'numerator')) return value;
  if (typeof value === 'number' && name === 'real') return value;
  if (others[type]?.includes(name)) throw unsupported(`\`${name}\` of a ${type}`);
  return undefined;
}

const isAttributes = (value: Value): value is Attributes =>
  typeof value === 'object' && value !== null && 'attribute' in value;

const mutators: Readonly<Record<string, readonly string[]>> = {
  dict: ['clear', 'pop', 'popitem', 'setdefault', 'update'],
  list: ['append', 'clear', 'pop', 'reverse', 'insert', 'sort', 'extend', 'remove'],
};

const numbers = ['conjugate', 'imag', 'denominator', 'as_integer_ratio'];
const integers = [...numbers, 'bit_count', 'from_bytes', 'to_bytes', 'numerator', 'real'];
/** Attributes that Python has beyond those here. */
const others: Readonly<Record<string, readonly string[]>> = {
  str: ['encode', 'maketrans', 'translate'],
  Markup: ['escape', 'striptags', 'unescape', ...Object.keys(textMethods), 'format', 'format_map', 'encode'],
  dict: ['fromkeys'],
  int: integers,
  bool: [...integers, 'bit_length'],
  float: [...numbers, 'fromhex', 'hex'],
  Macro: ['arguments', 'caller', 'catch_kwargs', 'catch_varargs'],
  generator: ['close', 'send', 'throw'],
  dict_items: ['isdisjoint', 'mapping'],
  dict_keys: ['isdisjoint', 'mapping'],
  dict_values: ['mapping'],
};

type Method = (args: Args) => Value;

function methodOf(value: Value, name: string): Method | undefined {
  if (typeof value === 'string') {
    if (name === 'format') return (args) => formatText(value, args, access);
    if (name === 'format_map') return (args) => formatText(value, mappingArgs(args), access);
    const method = Object.hasOwn(textMethods, name) ? textMethods[name] : undefined;
    return method === undefined ? undefined : (args) => method(value, args);
  }
  if (value instanceof Dict) return dictMethod(value, name);
  if (isList(value) || value instanceof Tuple || value instanceof Range) return sequenceMethod(value, name);
  if (typeof value === 'bigint' && name === 'bit_length')
    return () => BigInt(value === 0n ? 0 : (value < 0n ? -value : value).toString(2).length);
  if (typeof value === 'number' && name === 'is_integer') return () => Number.isInteger(value);
  return undefined;
}

const access = { attribute: getAttribute, item: getItem };

function mappingArgs(args: Args): Args {
  const [values] = bindPositional('format_map', ['mapping'], args, 1);
  if (!(values instanceof Dict)) throw typeError('format_map() takes a mapping');
  return {
    positional: [],
    named: new Map([...values.entries()].map(([key, value]) => [textOf(key), value])),
  };
}

function dictMethod(dict: Dict, name: string): Method | undefined {
  if (name === 'items' || name === 'keys' || name === 'values')
    return (args) => {
      bindPositional(name, [], args);
      return new DictView(dict, name);
    };
  if (name === 'get')
    return (args) => {
      const [key, otherwise] = bindPositional('get', ['key', 'default'], args, 1);
      return orElse(dict.get(key ?? null), otherwise ?? null);
    };
  return name === 'copy' ? () => new Dict(dict.entries()) : undefined;
}

function sequenceMethod(value: readonly Value[] | Tuple | Range, name: string): Method | undefined {
  if (name === 'count')
    return (args) => {
      const [sought] = bindPositional('count', ['value'], args, 1);
      let count = 0n;
      for (const item of iterate(value)) if (equals(item, sought ?? null)) count++;
      return count;
    };
  if (name === 'index')
    return (args) => {
      const [sought, start, stop] = bind('index', ['value', 'start', 'stop'], args, 1);
      const items = [...iterate(slice(value, start ?? null, stop ?? null, null))];
      const index = items.findIndex((item) => equals(item, sought ?? null));
      if (index === -1) throw valueError(`${repr(sought ?? null)} is not in ${typeName(value)}`);
      return BigInt(index + bounds(lengthOf(value), start ?? null, null, 1n)[0]);
    };
  return name === 'copy' && isList(value) ? () => [...value] : undefined;
}

/** Python's `value[start:stop:step]`; null is left out. */
export function slice(value: Value, start: Value, stop: Value, step: Value): Value {
  if (value instanceof Undefined) return value.fail();
  if (value instanceof Dict) throw typeError("unhashable type: 'slice'");
  const text = textIn(value);
  const items = text !== undefined ? indexable(text) : value instanceof Tuple ? value.items : value;
  if (typeof items !== 'string' && !isList(items) && !(items instanceof Range))
    throw typeError(`'${typeName(value)}' object is not subscriptable`);
  const by = step === null ? 1n : sliceIndex(step);
  if (by === 0n) throw valueError('slice step cannot be zero');
  const [from, to] = bounds(items.length, start, stop, by);
  if (items instanceof Range) return items.slice(BigInt(from), BigInt(to), by);
  const part =
    by === 1n ? items.slice(from, Math.max(from, to)) : everyNth(items, { from, to, by: Number(by) });
  if (text === undefined) return value instanceof Tuple ? new Tuple(part as readonly Value[]) : part;
  const joined = typeof part === 'string' ? part : (part as readonly string[]).join('');
  return value instanceof Markup ? new Markup(joined) : joined;
}

function everyNth(
  items: string | readonly Value[],
  { from, to, by }: { from: number; to: number; by: number },
): readonly Value[] {
  const part: Value[] = [];
  for (let at = from; by > 0 ? at < to : at > to; at += by) part.push(items[at] ?? null);
  return part;
}

function bounds(length: number, start: Value, stop: Value, step: bigint): readonly [number, number] {
  const [lowest, highest] = step > 0n ? [0, length] : [-1, length - 1];
  const clip = (value: Value, otherwise: number): number => {
    if (value === null) return otherwise;
    const index = Number(sliceIndex(value));
    return Math.min(Math.max(index < 0 ? index + length : index, lowest), highest);
  };
  return step > 0n ? [clip(start, 0), clip(stop, length)] : [clip(start, length - 1), clip(stop, -1)];
}

function sliceIndex(value: Value): bigint {
  if (value instanceof Undefined) return value.fail();
  const index = integerIn(value);
  if (index !== undefined) return index;
  throw new PythonError('TypeError', 'slice indices must be integers or None or have an __index__ method');
}
