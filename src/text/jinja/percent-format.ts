import { codePointCount } from './code-points.ts';
import { floatAs } from './format-spec.ts';
import { growText } from './growth.ts';
import { PythonError, typeError, unsupported, valueError } from './python-error.ts';
import { repr, textOf } from './python-text.ts';
import {
  Dict,
  integerIn,
  numberIn,
  Range,
  Tuple,
  textIn,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

const conversion = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?(.)?/gsu;

/** Python's `format % values`. */
export function percentFormat(format: string, values: Value): string {
  const args = values instanceof Tuple ? values.items : [values];
  let used = 0;
  const next = (): Value => {
    const value = args[used++];
    if (value === undefined) throw typeError('not enough arguments for format string');
    return value;
  };
  let named = false;
  const text = format.replace(conversion, (whole, key, flags, width, precision, type) => {
    if (type === undefined) throw valueError('incomplete format');
    if (type === '%' && key === undefined) return '%';
    if (width === '*' || precision === '*') throw unsupported(`\`${whole}\` in a format`);
    let value: Value;
    if (key === undefined) value = next();
    else {
      if (!(values instanceof Dict)) throw typeError('format requires a mapping');
      named = true;
      const found = values.get(key);
      if (found === undefined) throw new PythonError('KeyError', repr(key));
      value = found;
    }
    growText(Number(width ?? 0) + Number(precision ?? 0));
    return convert({
      value,
      type,
      flags,
      width: Number(width ?? 0),
      precision,
      hasPoint: whole.includes('.'),
    });
  });
  growText(text.length);
  if (!named && used < args.length && !(values instanceof Dict) && !isUnusedMapping(values))
    throw typeError('not all arguments converted during string formatting');
  return text;
}

/** Python ignores what has items by key where nothing is converted. */
const isUnusedMapping = (values: Value): boolean =>
  Array.isArray(values) || values instanceof Undefined || values instanceof Range;

interface Conversion {
  readonly value: Value;
  readonly type: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: string | undefined;
  readonly hasPoint: boolean;
}

function convert({ value, type, flags, width, precision, hasPoint }: Conversion): string {
  const digits = hasPoint ? Number(precision ?? 0) : undefined;
  if (/[sra]/.test(type)) {
    if (type === 'a') throw unsupported('`%a` in a format');
    const text = type === 's' ? textOf(value) : repr(value);
    return pad(
      '',
      digits === undefined ? text : [...text].slice(0, digits).join(''),
      flags.replace('0', ''),
      width,
    );
  }
  if (type === 'c') {
    const text = textIn(value) ?? (integerIn(value) === undefined ? '' : String.fromCodePoint(Number(value)));
    if (codePointCount(text) !== 1) throw typeError('%c requires int or char');
    return pad('', text, flags.replace('0', ''), width);
  }
  if (!/[diuoxXeEfFgG]/.test(type))
    throw valueError(`unsupported format character '${type}' (0x${type.codePointAt(0)?.toString(16)})`);
  const number = numberIn(value);
  if (number === undefined) {
    const kind = /[eEfFgG]/.test(type) ? 'must be real number, not' : undefined;
    throw typeError(
      kind === undefined
        ? `%${type} format: ${/[oxX]/.test(type) ? 'an integer' : 'a real number'} is required, not ${typeName(value)}`
        : `${kind} ${typeName(value)}`,
    );
  }
  if (/[oxX]/.test(type) && typeof number === 'number')
    throw typeError(`%${type} format: an integer is required, not float`);
  const negative = number < 0 || Object.is(number, -0);
  const sign = negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  return pad(sign, numberText(number, { type, digits, alternate: flags.includes('#') }), flags, width);
}

function numberText(
  number: bigint | number,
  { type, digits, alternate }: { type: string; digits: number | undefined; alternate: boolean },
): string {
  if (/[eEfFgG]/.test(type) && alternate) throw unsupported('`#` in the format of a float');
  if (/[eEfFgG]/.test(type))
    return floatAs(Math.abs(Number(number)), { type, precision: digits ?? 6, alternate });
  if (typeof number === 'number' && !Number.isFinite(number))
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  const whole = typeof number === 'number' ? BigInt(Math.trunc(number)) : number;
  const size = whole < 0n ? -whole : whole;
  const base = { o: 8, x: 16, X: 16 }[type] ?? 10;
  const text = size.toString(base).padStart(digits ?? 0, '0');
  const prefix = alternate && base !== 10 ? `0${type}` : '';
  return prefix + (type === 'X' ? text.toUpperCase() : text);
}

function pad(sign: string, text: string, flags: string, width: number): string {
  const missing = Math.max(0, width - codePointCount(sign + text));
  if (flags.includes('-')) return sign + text + ' '.repeat(missing);
  return flags.includes('0') ? sign + '0'.repeat(missing) + text : ' '.repeat(missing) + sign + text;
}
