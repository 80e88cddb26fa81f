import { bind, indexOf } from './arguments.ts';
import { isTrue } from './comparison.ts';
import { growText } from './growth.ts';
import { typeError, unsupported, valueError } from './python-error.ts';
import { floatText } from './python-text.ts';
import { listOf } from './sequences.ts';
import { type Args, Dict, isList, Tuple, textIn, typeName, type Value } from './values.ts';

interface Layout {
  readonly asciiOnly: boolean;
  readonly sortKeys: boolean;
  /** What one level is indented by; undefined for a single line. */
  readonly indent: string | undefined;
  readonly itemEnd: string;
  readonly keyEnd: string;
}

/** `tojson` as transformers replaces it: `json.dumps` with these arguments, and nothing escaped for HTML. */
export function toJson(value: Value, args: Args): string {
  const names = ['ensure_ascii', 'indent', 'separators', 'sort_keys'];
  const [ascii, indent, separators, sortKeys] = bind('tojson', names, args);
  const own = indentOf(indent ?? null);
  const [itemEnd, keyEnd] = separatorsOf(separators ?? null, own);
  const text = dump(
    value,
    {
      asciiOnly: ascii !== undefined && isTrue(ascii),
      sortKeys: sortKeys !== undefined && isTrue(sortKeys),
      indent: own,
      itemEnd,
      keyEnd,
    },
    '',
  );
  growText(text.length);
  return text;
}

function indentOf(indent: Value): string | undefined {
  if (indent === null) return undefined;
  const text = textIn(indent);
  if (text !== undefined) return text;
  const width = Math.max(0, indexOf(indent, 0));
  growText(width);
  return ' '.repeat(width);
}

function separatorsOf(separators: Value, indent: string | undefined): readonly [string, string] {
  if (separators === null) return [indent === undefined ? ', ' : ',', ': '];
  const [item, key, ...more] = listOf(separators);
  const [itemEnd, keyEnd] = [textIn(item), textIn(key)];
  if (itemEnd === undefined || keyEnd === undefined || more.length > 0)
    throw valueError('separators has to be two texts');
  return [itemEnd, keyEnd];
}

function dump(value: Value, layout: Layout, margin: string): string {
  const text = textIn(value);
  if (text !== undefined) return quoted(text, layout.asciiOnly);
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return jsonFloat(value);
  const own = layout.indent === undefined ? '' : margin + layout.indent;
  const enclosed = ([open = '', close = '']: string, parts: readonly string[]): string => {
    if (parts.length === 0) return open + close;
    growText(parts.reduce((sum, part) => sum + part.length + own.length, 0));
    if (layout.indent === undefined) return open + parts.join(layout.itemEnd) + close;
    return `${open}\n${own}${parts.join(`${layout.itemEnd}\n${own}`)}\n${margin}${close}`;
  };
  const items = value instanceof Tuple ? value.items : value;
  if (isList(items))
    return enclosed(
      '[]',
      items.map((item) => dump(item, layout, own)),
    );
  if (!(value instanceof Dict)) throw typeError(`Object of type ${typeName(value)} is not JSON serializable`);
  const entries = layout.sortKeys ? sorted(value) : [...value.entries()];
  return enclosed(
    '{}',
    entries.map(
      ([key, one]) => quoted(keyText(key), layout.asciiOnly) + layout.keyEnd + dump(one, layout, own),
    ),
  );
}

function sorted(dict: Dict): readonly (readonly [Value, Value])[] {
  const entries = [...dict.entries()].map(([key, value]) => [textIn(key), value] as const);
  return entries
    .map(([key, value]) => {
      if (key === undefined) throw unsupported('sort_keys with keys that are not text');
      return [key, value] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function keyText(key: Value): string {
  const text = textIn(key);
  if (text !== undefined) return text;
  if (key === null) return 'null';
  if (typeof key === 'boolean' || typeof key === 'bigint') return String(key);
  if (typeof key === 'number') return jsonFloat(key);
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

function jsonFloat(value: number): string {
  if (Number.isFinite(value)) return floatText(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

const short: Readonly<Record<string, string>> = {
  ...{ '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\f': '\\f', '\b': '\\b' },
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes control characters
const special = /["\\\x00-\x1f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not printable ASCII
const specialOrNotAscii = /["\\\x00-\x1f]|[^\x00-\x7f]/g;

const quoted = (text: string, asciiOnly: boolean): string =>
  `"${text.replace(
    asciiOnly ? specialOrNotAscii : special,
    (character) => short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )}"`;
