import { bind, indexOf, textArgument } from './arguments.ts';
import { escapeHtml } from './arithmetic.ts';
import { codePointCount, indexable, linesOf, space, stripSpace } from './code-points.ts';
import { isTrue } from './comparison.ts';
import type { Filter } from './filter.ts';
import { growText } from './growth.ts';
import { percentFormat } from './percent-format.ts';
import { PythonError, typeError, unsupported } from './python-error.ts';
import { PythonRegex } from './python-regex.ts';
import { textOf } from './python-text.ts';
import { iterate, lengthOf } from './sequences.ts';
import { joinTexts, justify, replaceText, splitFromEnd, stripText } from './text-functions.ts';
import { capitalized } from './text-methods.ts';
import { toJson } from './to-json.ts';
import { attributeGetter } from './value-paths.ts';
import { Dict, Markup, Tuple, textIn, typeName, Undefined, type Value } from './values.ts';

/** Filters that make text. */
export const textFilters: Readonly<Record<string, Filter>> = {
  capitalize: (value) => capitalized(textOf(value)),
  center: (value, args) =>
    justify(textOf(value), indexOf(bind('center', ['width'], args)[0], 80), { name: 'center' }),
  e: (value) => (value instanceof Markup ? value : new Markup(escapeHtml(textOf(value)))),
  escape: (value) => (value instanceof Markup ? value : new Markup(escapeHtml(textOf(value)))),
  forceescape: (value) => new Markup(escapeHtml(textOf(value))),
  format: (value, { positional, named }) => {
    if (positional.length > 0 && named.size > 0)
      throw typeError("can't handle positional and keyword arguments at the same time");
    return percentFormat(textOf(value), named.size > 0 ? new Dict(named) : new Tuple(positional));
  },
  indent: (value, args) => {
    const [width, first, blank] = bind('indent', ['width', 'first', 'blank'], args);
    const text = textIn(value);
    if (text === undefined) {
      if (value instanceof Undefined) return value.fail();
      throw typeError(`unsupported operand type(s) for +=: '${typeName(value)}' and 'str'`);
    }
    if (value instanceof Markup) throw unsupported('`indent` of escaped text');
    const margin = textIn(width) ?? spaces(indexOf(width, 4));
    return indented(text, margin, { first: truth(first), blank: truth(blank) });
  },
  join: (value, args) => {
    const [separator, attribute] = bind('join', ['d', 'attribute'], args);
    const get = attribute === undefined ? undefined : attributeGetter(attribute);
    const texts = [...iterate(value)].map((item) => textOf(get === undefined ? item : get(item)));
    return joinTexts(texts, separator === undefined ? '' : textOf(separator));
  },
  lower: (value) => textOf(value).toLowerCase(),
  /** lm-evaluation-harness's: Python's `re.sub`. */
  regex_replace: (value, args) => {
    const [pattern, replacement, count] = bind('regex_replace', ['pattern', 'repl', 'count'], args, 2);
    const regex = new PythonRegex(textArgument('pattern', pattern));
    return regex.replace(textArgument('string', value), textArgument('repl', replacement), indexOf(count, 0));
  },
  replace: (value, args) => {
    const [old, replacement, count] = bind('replace', ['old', 'new', 'count'], args, 2);
    const times = count === undefined || count === null ? -1 : indexOf(count, -1);
    return replaceText(textOf(value), [textOf(old ?? null), textOf(replacement ?? null)], times);
  },
  safe: (value) => new Markup(textOf(value)),
  string: (value) => (value instanceof Markup ? value : textOf(value)),
  striptags: (value) => unsupportedMarkup(textOf(value)),
  title: (value) =>
    textOf(value).replace(wordOf, (word) => {
      const [first = ''] = word;
      return first.toUpperCase() + word.slice(first.length).toLowerCase();
    }),
  tojson: (value, args) => toJson(value, args),
  trim: (value, args) => stripText(textOf(value), bind('trim', ['chars'], args)[0] ?? null, 'strip'),
  truncate: (value, args) => {
    const [length, killWords, end, leeway] = bind('truncate', ['length', 'killwords', 'end', 'leeway'], args);
    return truncated(value, {
      length: indexOf(length, 255),
      killWords: truth(killWords),
      end: end === undefined ? '...' : textOf(end),
      leeway: leeway === undefined || leeway === null ? 5 : indexOf(leeway, 5),
    });
  },
  upper: (value) => textOf(value).toUpperCase(),
  urlencode: (value) => {
    if (typeof value === 'string' || value === null || typeof value !== 'object')
      return urlQuoted(textOf(value), '/');
    const pairs = value instanceof Dict ? [...value.entries()] : [...iterate(value)].map(pairOf);
    return pairs
      .map((pair) => pair.map((one) => urlQuoted(textOf(one), '').replaceAll('%20', '+')).join('='))
      .join('&');
  },
  wordcount: (value) => BigInt([...textOf(value).matchAll(/[\p{L}\p{N}_]+/gu)].length),
};

const truth = (value: Value | undefined): boolean => value !== undefined && isTrue(value);

function spaces(count: number): string {
  growText(Math.max(0, count));
  return ' '.repeat(Math.max(0, count));
}

const wordOf = new RegExp(`[^-(\\[{<${space}]+`, 'g');

function unsupportedMarkup(text: string): Value {
  if (/[<&]/.test(text)) throw unsupported('`striptags` of a text with tags or entities');
  return stripSpace(text)
    .split(new RegExp(`[${space}]+`))
    .join(' ');
}

function indented(
  text: string,
  margin: string,
  { first, blank }: { first: boolean; blank: boolean },
): string {
  const lines = linesOf(`${text}\n`);
  growText(text.length + lines.length * (margin.length + 1));
  const rest = lines.slice(1).map((line) => (blank || line !== '' ? margin + line : line));
  return (first ? margin : '') + [lines[0] ?? '', ...rest].join('\n');
}

function truncated(
  value: Value,
  { length, killWords, end, leeway }: { length: number; killWords: boolean; end: string; leeway: number },
): Value {
  const endLength = codePointCount(end);
  if (length < endLength)
    throw new PythonError('ValueError', `expected length >= ${endLength}, got ${length}`);
  if (leeway < 0) throw new PythonError('ValueError', `expected leeway >= 0, got ${leeway}`);
  if (lengthOf(value) <= length + leeway) return value;
  const text = textIn(value);
  if (text === undefined) throw unsupported(`\`truncate\` of a ${typeName(value)}`);
  const characters = indexable(text);
  const cut = characters.slice(0, length - endLength);
  const kept = typeof cut === 'string' ? cut : cut.join('');
  return (killWords ? kept : (splitFromEnd(kept, ' ', 1)[0] ?? '')) + end;
}

function pairOf(value: Value): readonly [Value, Value] {
  const [key, one, ...more] = [...iterate(value)];
  if (key === undefined || one === undefined || more.length > 0)
    throw new PythonError('ValueError', 'urlencode needs pairs of a key and a value');
  return [key, one];
}

/** Python's `urllib.parse.quote`. */
function urlQuoted(text: string, safe: string): string {
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return safe === '/' ? encoded.replaceAll('%2F', '/') : encoded;
}
