import { bind, indexOf } from './arguments.ts';
import { binary, negated, toFloat } from './arithmetic.ts';
import { fixed, nearest, scaled } from './decimal.ts';
import type { Filter } from './filter.ts';
import { PythonError, typeError } from './python-error.ts';
import { floatIn, integerInText } from './python-text.ts';
import { numberIn, orElse, textIn, typeName, Undefined, type Value } from './values.ts';

/** Filters of numbers. */
export const numberFilters: Readonly<Record<string, Filter>> = {
  abs: (value) => {
    const number = requiredNumber(value, 'bad operand type for abs():');
    return number < 0 || Object.is(number, -0) ? negated(number) : number;
  },
  filesizeformat: (value, args) => {
    const [binaryUnits] = bind('filesizeformat', ['binary'], args);
    return fileSize(toFloatFilter(value, null), binaryUnits !== undefined && binaryUnits !== false);
  },
  float: (value, args) => {
    const [otherwise] = bind('float', ['default'], args);
    return toFloatFilter(value, orElse(otherwise, 0));
  },
  int: (value, args) => {
    const [otherwise, base] = bind('int', ['default', 'base'], args);
    return toInteger(value, { otherwise: orElse(otherwise, 0n), base: indexOf(base, 10) });
  },
  round: (value, args) => {
    const [precision, method] = bind('round', ['precision', 'method'], args);
    const how = method === undefined ? 'common' : textIn(method);
    if (how !== 'common' && how !== 'ceil' && how !== 'floor')
      throw typeError('method must be common, ceil or floor');
    return rounded(value, indexOf(precision, 0), how);
  },
};

function requiredNumber(value: Value, complaint: string): bigint | number {
  if (value instanceof Undefined) return value.fail();
  const number = numberIn(value);
  if (number === undefined) throw typeError(`${complaint} '${typeName(value)}'`);
  return number;
}

function toFloatFilter(value: Value, otherwise: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const number = numberIn(value);
  if (number !== undefined) return toFloat(number);
  const text = textIn(value);
  const read = text === undefined ? undefined : floatIn(text);
  if (read !== undefined) return read;
  if (otherwise !== null) return otherwise;
  throw typeError(`float() argument must be a string or a real number, not '${typeName(value)}'`);
}

function toInteger(value: Value, { otherwise, base }: { otherwise: Value; base: number }): Value {
  if (value instanceof Undefined) return value.fail();
  const text = textIn(value);
  if (text !== undefined) {
    const read = integerInText(text, base);
    if (read !== undefined) return read;
  }
  const number = text === undefined ? numberIn(value) : floatIn(text);
  if (typeof number === 'bigint') return number;
  if (number === undefined || !Number.isFinite(number)) {
    // `int(inf)` raises an OverflowError that the filter only expects the second time.
    if (text === undefined && number !== undefined && !Number.isNaN(number))
      throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
    return otherwise;
  }
  return BigInt(Math.trunc(number));
}

function rounded(value: Value, precision: number, method: 'common' | 'ceil' | 'floor'): Value {
  const number = requiredNumber(value, "type can't be rounded:");
  if (method !== 'common') {
    const factor: Value = precision >= 0 ? 10n ** BigInt(precision) : 10 ** precision;
    const product = binary('*', number, factor);
    const whole = typeof product === 'bigint' ? product : BigInt(Math[method](Number(product)));
    return binary('/', whole, factor);
  }
  if (typeof number === 'bigint') {
    if (precision >= 0) return number;
    const unit = 10n ** BigInt(-precision);
    return nearest(number, unit) * unit;
  }
  if (!Number.isFinite(number)) return number;
  if (precision > 308) return number;
  if (precision < 0) {
    const size = Number(scaled(number, precision) * 10n ** BigInt(-precision));
    return size === 0 && (number < 0 || Object.is(number, -0)) ? -0 : size;
  }
  const size = Number(fixed(number, precision));
  return number < 0 || Object.is(number, -0) ? -size : size;
}

const decimalUnits = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const binaryUnits = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

function fileSize(value: Value, isBinary: boolean): string {
  const bytes = Number(value);
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const units = isBinary ? binaryUnits : decimalUnits;
  const found = units.findIndex((_, index) => bytes < base ** (index + 2));
  const index = found === -1 ? units.length - 1 : found;
  return `${fixed((base * bytes) / base ** (index + 2), 1)} ${units[index]}`;
}
