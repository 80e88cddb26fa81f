import { bind } from './arguments.ts';
import { binary } from './arithmetic.ts';
import { type Comparison, compare, contains, equals } from './comparison.ts';
import { typeError } from './python-error.ts';
import { textOf } from './python-text.ts';
import { isIterable } from './sequences.ts';
import { isLower, isUpper } from './text-methods.ts';
import {
  type Args,
  Callable,
  Dict,
  isList,
  Markup,
  numberIn,
  Range,
  Tuple,
  textIn,
  Undefined,
  type Value,
} from './values.ts';

type Test = (value: Value, args: Args) => boolean;

const argument = (name: string, args: Args): Value => bind(name, ['other'], args, 1)[0] ?? null;

const ordering =
  (operator: Comparison): Test =>
  (value, args) =>
    compare(operator, value, argument(operator, args));
const isEqual: Test = (value, args) => equals(value, argument('eq', args));
const isUnequal: Test = (value, args) => !isEqual(value, args);
const remainder = (value: Value, divisor: Value): Value => binary('%', value, divisor);

/** Jinja's tests but `filter` and `test`, which ask for names. */
export const tests: Readonly<Record<string, Test>> = {
  boolean: (value) => typeof value === 'boolean',
  callable: (value) =>
    value instanceof Callable ||
    value instanceof Undefined ||
    (isAttributes(value) && value.call !== undefined),
  defined: (value) => !(value instanceof Undefined),
  divisibleby: (value, args) => equals(remainder(value, argument('divisibleby', args)), 0n),
  escaped: (value) => value instanceof Markup,
  even: (value) => equals(remainder(value, 2n), 0n),
  false: (value) => value === false,
  float: (value) => typeof value === 'number',
  in: (value, args) => contains(argument('in', args), value),
  integer: (value) => typeof value === 'bigint',
  iterable: (value) => isIterable(value),
  lower: (value) => isLower(textOf(value)),
  mapping: (value) => value instanceof Dict,
  none: (value) => value === null,
  number: (value) => numberIn(value) !== undefined,
  odd: (value) => equals(remainder(value, 2n), 1n),
  sameas: (value, args) => isSame(value, argument('sameas', args)),
  sequence: (value) =>
    textIn(value) !== undefined ||
    isList(value) ||
    [Tuple, Dict, Range, Undefined].some((type) => value instanceof type),
  string: (value) => textIn(value) !== undefined,
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value) => isUpper(textOf(value)),
  ...{ '==': isEqual, eq: isEqual, equalto: isEqual, '!=': isUnequal, ne: isUnequal },
  ...{ '<': ordering('<'), lt: ordering('<'), lessthan: ordering('<') },
  ...{ '<=': ordering('<='), le: ordering('<=') },
  ...{ '>': ordering('>'), gt: ordering('>'), greaterthan: ordering('>') },
  ...{ '>=': ordering('>='), ge: ordering('>=') },
};

const isAttributes = (value: Value): value is Exclude<Value, null | string> & { call?: unknown } =>
  typeof value === 'object' && value !== null && 'call' in value;

/** Python's `is`, where it does not depend on how an interpreter keeps its objects. */
function isSame(value: Value, other: Value): boolean {
  if (typeof value === 'object' || typeof value === 'boolean' || typeof other === 'boolean')
    return value === other;
  if (typeof value !== typeof other) return false;
  if (!equals(value, other)) return false;
  throw typeError('`sameas` of equal numbers or texts depends on the interpreter');
}
