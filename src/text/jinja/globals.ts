import { bind, indexOf } from './arguments.ts';
import { PythonError, RaisedByTemplate, typeError, unsupported, valueError } from './python-error.ts';
import { textOf } from './python-text.ts';
import { iterate, listOf } from './sequences.ts';
import {
  type Attributes,
  Callable,
  Dict,
  integerIn,
  Namespace,
  orElse,
  Range,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** Of the sandbox. */
const longestRange = 100_000;

/** Jinja's functions, and the one that transformers adds. Without a clock, which would make each run differ. */
export const globals: readonly (readonly [string, Value])[] = [
  new Callable('range', ({ positional }) => {
    const [first, second, step = 1n, ...more] = positional.map(wholeNumber);
    if (first === undefined || more.length > 0)
      throw typeError(`range expected 1 to 3 arguments, got ${positional.length}`);
    if (step === 0n) throw valueError('range() arg 3 must not be zero');
    const range = second === undefined ? new Range(0n, first, step) : new Range(first, second, step);
    if (range.length <= longestRange) return range;
    throw new PythonError(
      'OverflowError',
      `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${longestRange}).`,
    );
  }),
  new Callable('dict', ({ positional: [first], named }) => {
    const dict = new Dict();
    for (const [key, value] of first === undefined ? [] : pairs(first)) dict.set(key, value);
    for (const [name, value] of named) dict.set(name, value);
    return dict;
  }),
  new Callable('namespace', ({ positional: [first], named }) => {
    const given = first === undefined ? [] : pairs(first);
    return new Namespace([...[...given].map(([key, value]) => [textOf(key), value] as const), ...named]);
  }),
  new Callable('cycler', ({ positional }) => {
    if (positional.length === 0)
      throw new PythonError('RuntimeError', 'at least one item has to be provided');
    return cycler(positional);
  }),
  new Callable('joiner', (args) => {
    const [separator] = bind('joiner', ['sep'], args);
    let used = false;
    return new Callable('joiner', () => {
      if (used) return orElse(separator, ', ');
      used = true;
      return '';
    });
  }),
  new Callable('lipsum', () => {
    throw unsupported('`lipsum`, which writes random text,');
  }),
  new Callable('raise_exception', (args) => {
    const [message] = bind('raise_exception', ['message'], args, 1);
    throw new RaisedByTemplate(textOf(message ?? null));
  }),
].map((one) => [one.name, one] as const);

function wholeNumber(value: Value): bigint {
  if (value instanceof Undefined) return value.fail();
  const integer = integerIn(value);
  if (integer === undefined) indexOf(value, 0);
  return integer ?? 0n;
}

function pairs(value: Value): Iterable<readonly [Value, Value]> {
  if (value instanceof Dict) return value.entries();
  return listOf(value).map((item, index) => {
    const [key, one, ...more] = [...iterate(item)];
    if (key === undefined || one === undefined || more.length > 0)
      throw valueError(`dictionary update sequence element #${index} is not a pair (${typeName(item)})`);
    return [key, one] as const;
  });
}

function cycler(items: readonly Value[]): Attributes {
  let at = 0;
  const current = (): Value => items[at] ?? null;
  const methods: Readonly<Record<string, () => Value>> = {
    next: () => {
      const item = current();
      at = (at + 1) % items.length;
      return item;
    },
    reset: () => {
      at = 0;
      return null;
    },
  };
  return {
    type: 'Cycler',
    attribute: (name) => {
      const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
      return name === 'current' ? current() : method && new Callable(name, method);
    },
    text: () => {
      throw unsupported('writing a cycler');
    },
  };
}
