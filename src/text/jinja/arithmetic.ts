import { fractionOf } from './decimal.ts';
import { growList, growNumber, growText } from './growth.ts';
import { percentFormat } from './percent-format.ts';
import { PythonError, typeError, unsupported } from './python-error.ts';
import {
  integerIn,
  isList,
  Markup,
  numberIn,
  Tuple,
  textIn,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**';

/** Python's arithmetic. */
export function binary(operator: BinaryOperator, a: Value, b: Value): Value {
  if (operator === '%' && typeof a === 'string') return percentFormat(a, b);
  if (a instanceof Undefined) return a.fail();
  if (b instanceof Undefined) return b.fail();
  const [left, right] = [numberIn(a), numberIn(b)];
  if (left !== undefined && right !== undefined) return arithmetic(operator, left, right);
  if (operator === '+') return joined(a, b);
  if (operator === '*') {
    const count = integerIn(b) ?? integerIn(a);
    if (count !== undefined) return repeated(integerIn(b) === undefined ? b : a, count, [a, b]);
    const sequence = [a, b].find(isSequence);
    if (sequence !== undefined)
      throw typeError(`can't multiply sequence by non-int of type '${typeName(sequence === a ? b : a)}'`);
  }
  if (a instanceof Markup) throw unsupported(`\`${operator}\` on escaped text`);
  throw unsupportedOperands(operator, a, b);
}

const isSequence = (value: Value): boolean =>
  textIn(value) !== undefined || isList(value) || value instanceof Tuple;

const unsupportedOperands = (operator: string, a: Value, b: Value): PythonError =>
  typeError(
    `unsupported operand type(s) for ${operator === '**' ? '** or pow()' : operator}: '${typeName(a)}' and '${typeName(b)}'`,
  );

function joined(a: Value, b: Value): Value {
  if (typeof a === 'string' && typeof b === 'string') {
    growText(a.length + b.length);
    return a + b;
  }
  if (isList(a) && isList(b)) {
    growList(a.length + b.length);
    return [...a, ...b];
  }
  if (a instanceof Tuple && b instanceof Tuple) return new Tuple([...a.items, ...b.items]);
  const [text, other] = [textIn(a), textIn(b)];
  if (text !== undefined && other !== undefined)
    return new Markup(
      (a instanceof Markup ? text : escapeHtml(text)) + (b instanceof Markup ? other : escapeHtml(other)),
    );
  if (typeof a === 'string') throw typeError(`can only concatenate str (not "${typeName(b)}") to str`);
  if (isList(a)) throw typeError(`can only concatenate list (not "${typeName(b)}") to list`);
  if (a instanceof Tuple) throw typeError(`can only concatenate tuple (not "${typeName(b)}") to tuple`);
  throw unsupportedOperands('+', a, b);
}

const htmlNames: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  const escaped = text.replace(/[&<>"']/g, (character) => htmlNames[character] ?? character);
  growText(escaped.length);
  return escaped;
}

function repeated(sequence: Value, count: bigint, [a, b]: readonly [Value, Value]): Value {
  if (count >= 2n ** 63n)
    throw new PythonError('OverflowError', "cannot fit 'int' into an index-sized integer");
  const times = count < 0n ? 0 : count > 1_000_000_000n ? 1_000_000_000 : Number(count);
  const text = textIn(sequence);
  if (text !== undefined) {
    growText(text.length * times);
    return sequence instanceof Markup ? new Markup(text.repeat(times)) : text.repeat(times);
  }
  const items = isList(sequence) ? sequence : sequence instanceof Tuple ? sequence.items : undefined;
  if (items === undefined) throw unsupportedOperands('*', a, b);
  growList(items.length * times);
  const many = Array.from({ length: times }, () => items).flat();
  return isList(sequence) ? many : new Tuple(many);
}

function arithmetic(operator: BinaryOperator, a: bigint | number, b: bigint | number): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return onIntegers(operator, a, b);
  const [x, y] = [toFloat(a), toFloat(b)];
  if (operator === '+') return x + y;
  if (operator === '-') return x - y;
  if (operator === '*') return x * y;
  if (operator === '**') return power(x, y);
  if (y === 0)
    throw new PythonError(
      'ZeroDivisionError',
      { '/': 'float division by zero', '//': 'float floor division by zero', '%': 'float modulo' }[operator],
    );
  if (operator === '/') return x / y;
  const rest = x % y;
  const modulo = rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest === 0 ? (y < 0 ? -0 : 0) : rest;
  if (operator === '%') return modulo;
  const quotient = Math.round((x - modulo) / y);
  return quotient === 0 ? 0 * (x / y) : quotient;
}

/** An int as the nearest float. */
export function toFloat(value: bigint | number): number {
  const float = Number(value);
  if (typeof value === 'number' || Number.isFinite(float)) return float;
  throw new PythonError('OverflowError', 'int too large to convert to float');
}

function power(x: number, y: number): number {
  if (x === 0 && y < 0)
    throw new PythonError('ZeroDivisionError', '0.0 cannot be raised to a negative power');
  if (x < 0 && Number.isFinite(y) && !Number.isInteger(y)) throw unsupported('a complex number');
  if (x === 1 || (x === -1 && !Number.isFinite(y) && !Number.isNaN(y))) return 1;
  const result = x ** y;
  if (Number.isFinite(x) && Number.isFinite(y) && !Number.isFinite(result))
    throw new PythonError('OverflowError', "(34, 'Numerical result out of range')");
  return result;
}

function onIntegers(operator: BinaryOperator, a: bigint, b: bigint): Value {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') {
    growNumber(bitsOf(a) + bitsOf(b));
    return a * b;
  }
  if (operator === '**') {
    if (b < 0n) return power(toFloat(a), toFloat(b));
    growNumber(a === 1n || a === -1n || a === 0n ? 1n : bitsOf(a) * b);
    return a ** b;
  }
  if (b === 0n)
    throw new PythonError(
      'ZeroDivisionError',
      operator === '/' ? 'division by zero' : 'integer division or modulo by zero',
    );
  if (operator === '/') return trueQuotient(a, b);
  const rest = a % b;
  const modulo = rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
  return operator === '%' ? modulo : (a - modulo) / b;
}

const bitsOf = (value: bigint): bigint => BigInt((value < 0n ? -value : value).toString(16).length * 4);

/** The float nearest to the exact quotient, also of whole numbers that no float holds. */
function trueQuotient(a: bigint, b: bigint): number {
  const approximate = toFloat(a) / toFloat(b);
  const exact = BigInt.asIntN(54, a) === a && BigInt.asIntN(54, b) === b;
  if (exact || !Number.isFinite(approximate) || approximate === 0) return approximate;
  // The nearest of three neighbors, by cross-multiplication.
  const distance = (float: number): readonly [bigint, bigint] => {
    const [n, d] = fractionOf(float);
    const difference = n * b - a * d;
    return [difference < 0n ? -difference : difference, d];
  };
  const step = 2 ** (Math.floor(Math.log2(Math.abs(approximate))) - 52);
  let best = approximate;
  for (const other of [approximate - step, approximate + step]) {
    const [[n, d], [m, e]] = [distance(best), distance(other)];
    if (m * d < n * e) best = other;
  }
  return best;
}

export function negated(value: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const number = numberIn(value);
  if (number === undefined) throw typeError(`bad operand type for unary -: '${typeName(value)}'`);
  return -number;
}

export function positive(value: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const number = numberIn(value);
  if (number === undefined) throw typeError(`bad operand type for unary +: '${typeName(value)}'`);
  return number;
}
