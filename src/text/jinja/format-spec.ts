import { codePointCount } from './code-points.ts';
import { exponential, fixed } from './decimal.ts';
import { growText } from './growth.ts';
import { PythonError, unsupported, valueError } from './python-error.ts';
import { exponentText, floatText, repr } from './python-text.ts';
import { typeName, type Value } from './values.ts';

/** What stands after the colon of a replacement field, as in `{:>8.2f}`. */
interface FormatSpec {
  readonly fill: string;
  readonly align: '<' | '>' | '=' | '^' | undefined;
  readonly sign: '+' | '-' | ' ';
  readonly hasSign: boolean;
  readonly alternate: boolean;
  readonly width: number;
  readonly grouping: ',' | '_' | '';
  readonly precision: number | undefined;
  readonly type: string;
}

const specPattern = /^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/su;

function parseSpec(spec: string, value: Value): FormatSpec {
  const found = specPattern.exec(spec);
  if (found === null)
    throw valueError(`Invalid format specifier '${spec}' for object of type '${typeName(value)}'`);
  const [, fill, align, sign, alternate, zero, width, grouping, precision, type] = found;
  return {
    fill: fill ?? (zero === undefined ? ' ' : '0'),
    align: (align as FormatSpec['align']) ?? (zero === undefined ? undefined : '='), // one of those, by the pattern
    sign: (sign as FormatSpec['sign']) ?? '-',
    hasSign: sign !== undefined,
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: (grouping as FormatSpec['grouping']) ?? '',
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? '',
  };
}

/** Python's `format(value, spec)`. */
export function formatValue(value: Value, spec: string): string {
  if (spec === '' && typeof value !== 'string') return repr(value);
  const parsed = parseSpec(spec, value);
  checkSpec(parsed, value);
  growText(parsed.width + (parsed.precision ?? 0));
  if (typeof value === 'string') return formatText(value, parsed);
  if (typeof value === 'boolean' && parsed.type !== '') return formatNumber(value ? 1n : 0n, parsed);
  if (typeof value === 'bigint' || typeof value === 'number') return formatNumber(value, parsed);
  if (typeof value === 'boolean') return formatNumber(value ? 1n : 0n, parsed);
  throw new PythonError('TypeError', `unsupported format string passed to ${typeName(value)}.__format__`);
}

/** Throws for what Python does not allow together, and for what is not supported here. */
function checkSpec(
  { type, sign, hasSign, alternate, grouping, align, fill, precision }: FormatSpec,
  value: Value,
): void {
  if (typeof value === 'string') {
    if (hasSign || alternate || grouping !== '')
      throw valueError(`Invalid format specifier for object of type 'str'`);
    return;
  }
  if (grouping !== '' && (/[nc]/.test(type) || (grouping === ',' && /[boxX]/.test(type))))
    throw valueError(`Cannot specify '${grouping}' with '${type}'.`);
  if (type === 'c' && (hasSign || alternate))
    throw valueError(`${sign} or # not allowed with integer format specifier 'c'`);
  if (alternate && (typeof value === 'number' || precision !== undefined || /[eEfFgG%]/.test(type)))
    throw unsupported('`#` in the format of a float');
  if (grouping !== '' && align === '=' && fill === '0')
    throw unsupported(`\`0\` with \`${grouping}\` in a format`);
}

function formatText(text: string, spec: FormatSpec): string {
  if (spec.type !== '' && spec.type !== 's') throw unknownCode(spec.type, 'str');
  if (spec.align === '=') throw valueError("'=' alignment not allowed in string format specifier");
  const shown = spec.precision === undefined ? text : [...text].slice(0, spec.precision).join('');
  return padded('', shown, { ...spec, align: spec.align ?? '<' });
}

function formatNumber(value: bigint | number, spec: FormatSpec): string {
  const isFloat = typeof value === 'number';
  if (isFloat ? !/^[eEfFgGn%]?$/.test(spec.type) : spec.type === 's')
    throw unknownCode(spec.type, isFloat ? 'float' : 'int');
  if (!isFloat && spec.precision !== undefined && !/^[eEfFgG%]$/.test(spec.type))
    throw valueError('Precision not allowed in integer format specifier');
  const asFloat = isFloat || /^[eEfFgG%]$/.test(spec.type);
  const negative = typeof value === 'number' ? value < 0 || Object.is(value, -0) : value < 0n;
  const digits = asFloat ? floatDigits(Number(value), spec) : integerDigits(value as bigint, spec); // no float here
  const sign = negative ? '-' : spec.sign === '-' ? '' : spec.sign;
  const prefix = sign + (spec.alternate && /^[boxX]$/.test(spec.type) ? `0${spec.type}` : '');
  return padded(prefix, digits, { ...spec, align: spec.align ?? '>' });
}

const unknownCode = (code: string, type: string): PythonError =>
  valueError(`Unknown format code '${code}' for object of type '${type}'`);

function integerDigits(value: bigint, { type, grouping }: FormatSpec): string {
  if (type === 'c') return String.fromCodePoint(Number(value));
  const size = value < 0n ? -value : value;
  const base = { b: 2, o: 8, x: 16, X: 16 }[type] ?? 10;
  const digits = size.toString(base);
  return grouped(type === 'X' ? digits.toUpperCase() : digits, grouping, base === 10 ? 3 : 4);
}

const grouped = (digits: string, separator: string, size: number): string =>
  separator === '' ? digits : digits.replace(new RegExp(`\\B(?=(?:.{${size}})+$)`, 'g'), separator);

/** The text of a float without its sign. */
function floatDigits(value: number, spec: FormatSpec): string {
  const { precision, grouping, alternate } = spec;
  const percent = spec.type === '%';
  const type = spec.type === 'n' ? 'g' : percent ? 'f' : spec.type;
  const size = Math.abs(percent ? value * 100 : value);
  const text =
    type === '' && precision === undefined
      ? floatText(size)
      : floatAs(size, { type: type === '' ? 'r' : type, precision: precision ?? 6, alternate });
  const [whole = '', ...rest] = text.split(/(?=[.e])/i);
  return (/^\d+$/.test(whole) ? grouped(whole, grouping, 3) : whole) + rest.join('') + (percent ? '%' : '');
}

/** A float that is not negative, as C's `printf` writes it. Type `r` is Python's `''` with a precision. */
export function floatAs(
  value: number,
  { type, precision, alternate }: { type: string; precision: number; alternate: boolean },
): string {
  const upper = type !== 'r' && type === type.toUpperCase();
  const cased = (text: string): string => (upper ? text.toUpperCase() : text);
  if (!Number.isFinite(value)) return cased(Number.isNaN(value) ? 'nan' : 'inf');
  const kind = type.toLowerCase();
  if (kind === 'f') return fixed(value, precision) + (alternate && precision === 0 ? '.' : '');
  if (kind === 'e') {
    const { digits, exponent } = exponential(value, precision);
    return cased(`${pointed(digits, alternate)}e${exponentText(exponent)}`);
  }
  const significant = Math.max(precision, 1);
  const { digits, exponent } = exponential(value, significant - 1);
  const shown = alternate ? digits : digits.replace(/0+$/, '') || '0';
  if (exponent < -4 || exponent >= significant - (kind === 'r' ? 1 : 0))
    return cased(`${pointed(shown, false)}e${exponentText(exponent)}`);
  const text = fixed(value, Math.max(significant - 1 - exponent, 0));
  const short = alternate ? text : text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return kind === 'r' && !short.includes('.') ? `${short}.0` : short;
}

const pointed = (digits: string, always: boolean): string =>
  digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits + (always ? '.' : '');

function padded(prefix: string, digits: string, { fill, align, width }: FormatSpec): string {
  const missing = width - codePointCount(prefix) - codePointCount(digits);
  if (missing <= 0) return prefix + digits;
  if (align === '=') return prefix + fill.repeat(missing) + digits;
  if (align === '>') return fill.repeat(missing) + prefix + digits;
  if (align === '<') return prefix + digits + fill.repeat(missing);
  const before = Math.floor(missing / 2);
  return fill.repeat(before) + prefix + digits + fill.repeat(missing - before);
}
