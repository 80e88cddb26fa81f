import { bind, bindPositional, indexOf, textArgument } from './arguments.ts';
import { codePointCount, codePointIndex, indexable, isSpace, linesOf } from './code-points.ts';
import { growText } from './growth.ts';
import { typeError, valueError } from './python-error.ts';
import { isPrintable } from './python-text.ts';
import { iterate } from './sequences.ts';
import { joinTexts, justify, replaceText, splitFromEnd, splitText, stripText } from './text-functions.ts';
import { type Args, Tuple, textIn, typeName, type Value } from './values.ts';

type Method = (text: string, args: Args) => Value;

/** Methods of Python's str that take no arguments. */
const plainMethods: Readonly<Record<string, (text: string) => Value>> = {
  capitalize: (text) => capitalized(text),
  casefold: (text) => text.toLowerCase().replaceAll('ß', 'ss'),
  isalnum: (text) => /^[\p{L}\p{N}]+$/u.test(text),
  isalpha: (text) => /^\p{L}+$/u.test(text),
  isascii: (text) => /^[\0-\x7f]*$/.test(text),
  isdecimal: (text) => /^\p{Nd}+$/u.test(text),
  isdigit: (text) => /^[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓵-⓽⓿]+$/u.test(text),
  isidentifier: (text) => /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(text),
  islower: (text) => isLower(text),
  isnumeric: (text) => /^\p{N}+$/u.test(text),
  isprintable: (text) => [...text].every(isPrintable),
  isspace: (text) => text !== '' && [...text].every(isSpace),
  istitle: (text) => text === titled(text) && /\p{Lu}|\p{Lt}/u.test(text),
  isupper: (text) => isUpper(text),
  lower: (text) => text.toLowerCase(),
  swapcase: (text) =>
    [...text].map((one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())).join(''),
  title: (text) => titled(text),
  upper: (text) => text.toUpperCase(),
};

/** Methods of Python's str. */
export const textMethods: Readonly<Record<string, Method>> = {
  ...Object.fromEntries(
    Object.entries(plainMethods).map(([name, method]): [string, Method] => [
      name,
      (text, args) => {
        bindPositional(name, [], args);
        return method(text);
      },
    ]),
  ),
  center: (text, args) => justified(text, args, 'center'),
  count: (text, args) => {
    const [part, start, end] = bindPositional('count', ['sub', 'start', 'end'], args, 1);
    const { within } = window(text, start, end);
    const sought = textArgument('argument', part);
    if (sought === '') return BigInt(codePointCount(within) + 1);
    return BigInt(within.split(sought).length - 1);
  },
  endswith: (text, args) => affixes('endswith', text, args, (within, part) => within.endsWith(part)),
  expandtabs: (text, args) => expandTabs(text, indexOf(bind('expandtabs', ['tabsize'], args)[0], 8)),
  find: (text, args) => BigInt(position('find', text, args, 'indexOf')),
  index: (text, args) => found(position('index', text, args, 'indexOf')),
  join: (text, args) => {
    const [items] = bindPositional('join', ['iterable'], args, 1);
    const texts = [...iterate(items ?? null)].map((item, index) => {
      const one = textIn(item);
      if (one === undefined)
        throw typeError(`sequence item ${index}: expected str instance, ${typeName(item)} found`);
      return one;
    });
    return joinTexts(texts, text);
  },
  ljust: (text, args) => justified(text, args, 'ljust'),
  lstrip: (text, args) => strip('lstrip', text, args),
  partition: (text, args) => partition('partition', text, args),
  removeprefix: (text, args) => {
    const prefix = textArgument(
      'removeprefix() argument',
      bindPositional('removeprefix', ['prefix'], args, 1)[0],
    );
    return text.startsWith(prefix) ? text.slice(prefix.length) : text;
  },
  removesuffix: (text, args) => {
    const suffix = textArgument(
      'removesuffix() argument',
      bindPositional('removesuffix', ['suffix'], args, 1)[0],
    );
    return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
  },
  replace: (text, args) => {
    const [old, replacement, count] = bindPositional('replace', ['old', 'new', 'count'], args, 2);
    return replaceText(
      text,
      [textArgument('replace() argument 1', old), textArgument('replace() argument 2', replacement)],
      indexOf(count, -1),
    );
  },
  rfind: (text, args) => BigInt(position('rfind', text, args, 'lastIndexOf')),
  rindex: (text, args) => found(position('rindex', text, args, 'lastIndexOf')),
  rjust: (text, args) => justified(text, args, 'rjust'),
  rpartition: (text, args) => partition('rpartition', text, args),
  rsplit: (text, args) => {
    const [separator, most] = bind('rsplit', ['sep', 'maxsplit'], args);
    return splitFromEnd(text, separator ?? null, indexOf(most, -1));
  },
  rstrip: (text, args) => strip('rstrip', text, args),
  split: (text, args) => {
    const [separator, most] = bind('split', ['sep', 'maxsplit'], args);
    return splitText(text, separator ?? null, indexOf(most, -1));
  },
  splitlines: (text, args) => linesOf(text, indexOf(bind('splitlines', ['keepends'], args)[0], 0) !== 0),
  startswith: (text, args) => affixes('startswith', text, args, (within, part) => within.startsWith(part)),
  strip: (text, args) => strip('strip', text, args),
  zfill: (text, args) => {
    const width = indexOf(bindPositional('zfill', ['width'], args, 1)[0], 0);
    const missing = Math.max(0, width - codePointCount(text));
    growText(missing);
    const sign = /^[+-]/.exec(text)?.[0] ?? '';
    return sign + '0'.repeat(missing) + text.slice(sign.length);
  },
};

export function capitalized(text: string): string {
  const [first = ''] = text;
  const [capital = '', ...more] = /\p{Lt}/u.test(first) ? first : first.toUpperCase();
  return capital + (more.join('') + text.slice(first.length)).toLowerCase();
}

const titled = (text: string): string => text.replace(/\p{Cased}+/gu, capitalized);

const cased = /\p{Lu}|\p{Lt}|\p{Lowercase}/u;
export const isLower = (text: string): boolean => cased.test(text) && !/\p{Uppercase}|\p{Lt}/u.test(text);
export const isUpper = (text: string): boolean => cased.test(text) && !/\p{Lowercase}|\p{Lt}/u.test(text);

/** The part of a text between two indexes, and where it starts in UTF-16 units. */
function window(
  text: string,
  start: Value | undefined,
  end: Value | undefined,
): { within: string; from: number } {
  if ((start ?? null) === null && (end ?? null) === null) return { within: text, from: 0 };
  const characters = indexable(text);
  const length = characters.length;
  const clip = (value: Value | undefined, otherwise: number): number => {
    const index = value === null ? otherwise : indexOf(value, otherwise);
    return index < 0 ? Math.max(0, index + length) : Math.min(index, length);
  };
  const [from, to] = [clip(start, 0), clip(end, length)];
  const units = (count: number): number =>
    typeof characters === 'string' ? count : characters.slice(0, count).join('').length;
  return { within: text.slice(units(from), units(Math.max(from, to))), from };
}

function position(name: string, text: string, args: Args, method: 'indexOf' | 'lastIndexOf'): number {
  const [part, start, end] = bindPositional(name, ['sub', 'start', 'end'], args, 1);
  const { within, from } = window(text, start, end);
  const index = within[method](textArgument('argument', part));
  return index === -1 ? -1 : from + codePointIndex(within, index);
}

function found(index: number): bigint {
  if (index === -1) throw valueError('substring not found');
  return BigInt(index);
}

function affixes(
  name: string,
  text: string,
  args: Args,
  test: (within: string, part: string) => boolean,
): boolean {
  const [part, start, end] = bindPositional(name, ['prefix', 'start', 'end'], args, 1);
  const { within } = window(text, start, end);
  const parts = part instanceof Tuple ? part.items : [part ?? null];
  return parts.some((one) => {
    const affix = textIn(one);
    if (affix !== undefined) return test(within, affix);
    throw typeError(`${name} first arg must be str or a tuple of str, not ${typeName(part ?? null)}`);
  });
}

function strip(name: 'strip' | 'lstrip' | 'rstrip', text: string, args: Args): string {
  const [characters] = bindPositional(name, ['chars'], args);
  return stripText(text, characters ?? null, name);
}

function partition(name: 'partition' | 'rpartition', text: string, args: Args): Tuple {
  const separator = textArgument('argument', bindPositional(name, ['sep'], args, 1)[0]);
  if (separator === '') throw valueError('empty separator');
  const index = name === 'partition' ? text.indexOf(separator) : text.lastIndexOf(separator);
  if (index === -1) return new Tuple(name === 'partition' ? [text, '', ''] : ['', '', text]);
  return new Tuple([text.slice(0, index), separator, text.slice(index + separator.length)]);
}

function justified(text: string, args: Args, name: 'center' | 'ljust' | 'rjust'): string {
  const [width, fill] = bindPositional(name, ['width', 'fillchar'], args, 1);
  const filler = fill === undefined ? ' ' : textArgument('fillchar', fill);
  if (codePointCount(filler) !== 1) throw typeError('The fill character must be exactly one character long');
  return justify(text, indexOf(width, 0), { filler, name });
}

function expandTabs(text: string, size: number): string {
  let column = 0;
  let expanded = '';
  for (const character of text) {
    if (character === '\t') {
      const width = size > 0 ? size - (column % size) : 0;
      growText(width);
      expanded += ' '.repeat(width);
      column += width;
    } else {
      expanded += character;
      column = character === '\n' || character === '\r' ? 0 : column + 1;
    }
  }
  return expanded;
}
