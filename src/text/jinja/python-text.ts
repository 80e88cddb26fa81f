import { isSpace } from './code-points.ts';
import { growText } from './growth.ts';
import { unsupported } from './python-error.ts';
import {
  type Attributes,
  Callable,
  Dict,
  DictView,
  Iter,
  isList,
  Markup,
  Namespace,
  Range,
  Tuple,
  Undefined,
  type Value,
} from './values.ts';

/** Python's `str(value)`. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return value.takenFor('');
  return repr(value);
}

/** Python's `repr(value)`. */
export function repr(value: Value): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return floatText(value);
  if (isList(value)) return `[${reprs(value)}]`;
  if (value instanceof Tuple)
    return value.items.length === 1 ? `(${reprs(value.items)},)` : `(${reprs(value.items)})`;
  if (value instanceof Dict) return dictText(value.entries());
  if (value instanceof DictView) return `dict_${value.kind}([${reprs([...value.values()])}])`;
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`;
  if (value instanceof Namespace) return `<Namespace ${dictText(value.fields)}>`;
  if (value instanceof Range)
    return `range(${value.start}, ${value.stop}${value.step === 1n ? '' : `, ${value.step}`})`;
  if (value instanceof Iter)
    throw unsupported('writing the result of a filter such as `map` or `select` without `| list`');
  if (value instanceof Callable) {
    if (value.type === 'Macro') return `<Macro ${quoted(value.name)}>`;
    throw unsupported(`writing the function \`${value.name}\` without calling it`);
  }
  return (value as Attributes).text(); // the readonly list is left in the type
}

const reprs = (values: readonly Value[]): string => joined(values.map(repr));

const dictText = (entries: Iterable<readonly [Value, Value]>): string =>
  `{${joined([...entries].map(([key, value]) => `${repr(key)}: ${repr(value)}`))}}`;

function joined(texts: readonly string[]): string {
  const text = texts.join(', ');
  growText(text.length);
  return text;
}

/** Python's shortest text for a float: `1.0`, `1e-07`, `1e+16`. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) return `${digits}e${exponentText(exponent)}`;
  const text = String(value);
  const plain = text.includes('e') ? value.toFixed(digits.replace(/^-|\./g, '').length - exponent - 1) : text;
  return plain.includes('.') ? plain : `${plain}.0`;
}

/** At least two digits, with a sign. */
export const exponentText = (exponent: number): string =>
  `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const unprintable = /[\p{C}\p{Z}]/u;
const mayNeedEscapes = /[^ -&(-[\]-~]/;

function quoted(text: string): string {
  if (!mayNeedEscapes.test(text)) return `'${text}'`;
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = '';
  for (const character of text) {
    if (character === quote) written += `\\${quote}`;
    else written += escapes[character] ?? (isPrintable(character) ? character : escaped(character));
  }
  return quote + written + quote;
}

export const isPrintable = (character: string): boolean => character === ' ' || !unprintable.test(character);

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000
    ? `\\u${code.toString(16).padStart(4, '0')}`
    : `\\U${code.toString(16).padStart(8, '0')}`;
}

/** The number that Python's `float(text)` reads; undefined if it is none. */
export function floatIn(text: string): number | undefined {
  const bare = withoutUnderscores(text);
  if (bare === undefined) return undefined;
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(bare);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? -Infinity : Infinity;
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare) ? Number(bare) : undefined;
}

/** The number that Python's `int(text, base)` reads; undefined if it is none. Base 0 takes that of the prefix. */
export function integerInText(text: string, base: number): bigint | undefined {
  const bare = withoutUnderscores(text)?.toLowerCase();
  const found = /^([+-]?)(0[box])?(.*)$/s.exec(bare ?? '');
  if (bare === undefined || found === null) return undefined;
  const [, sign, prefix = '', digits = ''] = found;
  const prefixed = { '0b': 2, '0o': 8, '0x': 16 }[prefix];
  const isPrefix = prefixed !== undefined && (base === 0 || base === prefixed);
  const own = isPrefix ? digits : prefix + digits;
  const radix = isPrefix ? prefixed : base === 0 ? 10 : base;
  if (own === '' || (base === 0 && !isPrefix && /^0+[1-9]/.test(own))) return undefined;
  let value = 0n;
  for (const digit of own) {
    const worth = /[0-9a-z]/.test(digit) ? Number.parseInt(digit, 36) : radix;
    if (worth >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(worth);
  }
  return sign === '-' ? -value : value;
}

/** Without the white space around it and the underscores between digits; undefined if others are in it. */
function withoutUnderscores(text: string): string | undefined {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text[start] ?? '')) start++;
  while (end > start && isSpace(text[end - 1] ?? '')) end--;
  const bare = text.slice(start, end);
  if (bare.length > 4300) return undefined;
  return /^_|__|_$|[^0-9a-z]_|_[^0-9a-z]/i.test(bare) ? undefined : bare.replaceAll('_', '');
}
