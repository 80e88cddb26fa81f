import { formatValue } from './format-spec.ts';
import { growText } from './growth.ts';
import { PythonError, unsupported, valueError } from './python-error.ts';
import { repr, textOf } from './python-text.ts';
import { type Args, Markup, Undefined, type Value } from './values.ts';

/** How a field such as `{message.role}` reads what it names. */
interface Access {
  readonly attribute: (value: Value, name: string) => Value;
  readonly item: (value: Value, key: Value) => Value;
}

/** Python's `text.format(...)`. */
export function formatText(text: string, args: Args, access: Access): string {
  return replaceFields(text, args, { depth: 2, numbering: { next: 0, kind: undefined }, access });
}

interface Numbering {
  next: number;
  kind: 'automatic' | 'manual' | undefined;
}

interface FieldState {
  readonly depth: number;
  readonly numbering: Numbering;
  readonly access: Access;
}

function replaceFields(text: string, args: Args, state: FieldState): string {
  let written = '';
  let at = 0;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character !== '{' && character !== '}') {
      const next = text.slice(at).search(/[{}]/);
      const end = next === -1 ? text.length : at + next;
      written += text.slice(at, end);
      at = end;
    } else if (text[at + 1] === character) {
      written += character;
      at += 2;
    } else if (character === '}') throw valueError("Single '}' encountered in format string");
    else {
      const end = closingBrace(text, at);
      written += replaced(text.slice(at + 1, end), args, state);
      growText(written.length);
      at = end + 1;
    }
  }
  return written;
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  throw valueError(
    open + 1 >= text.length ? "Single '{' encountered in format string" : "expected '}' before end of string",
  );
}

const fieldPattern = /^([^!:[\].]*)((?:\.[^.[\]!:]*|\[[^\]]*\])*)(?:!([^:]*))?(?::(.*))?$/s;

function replaced(field: string, args: Args, state: FieldState): string {
  const { depth, numbering, access } = state;
  const found = fieldPattern.exec(field);
  if (found === null) throw unsupported(`the field \`{${field}}\` of format()`);
  const [, name = '', path = '', conversion, spec = ''] = found;
  let value = argument(name, args, numbering);
  for (const [, attribute, key] of path.matchAll(/\.([^.[\]]*)|\[([^\]]*)\]/g))
    value =
      key === undefined
        ? access.attribute(value, attribute ?? '')
        : access.item(value, /^\d+$/.test(key) ? BigInt(key) : key);
  if (conversion === 'r') value = repr(value);
  else if (conversion === 's') value = textOf(value);
  else if (conversion !== undefined)
    throw conversion === 'a'
      ? unsupported('`!a` in format()')
      : valueError(`Unknown conversion specifier ${conversion}`);
  if (depth === 0) throw valueError('Max string recursion exceeded');
  const own = spec.includes('{') ? replaceFields(spec, args, { ...state, depth: depth - 1 }) : spec;
  if (value instanceof Undefined) return formatValue(value.takenFor(''), own);
  return formatValue(value instanceof Markup ? value.text : value, own);
}

function argument(name: string, args: Args, numbering: Numbering): Value {
  if (name !== '' && !/^\d+$/.test(name)) {
    const value = args.named.get(name);
    if (value !== undefined) return value;
    throw new PythonError('KeyError', repr(name));
  }
  const kind = name === '' ? 'automatic' : 'manual';
  if (numbering.kind !== undefined && numbering.kind !== kind)
    throw valueError(
      kind === 'manual'
        ? 'cannot switch from automatic field numbering to manual field specification'
        : 'cannot switch from manual field specification to automatic field numbering',
    );
  numbering.kind = kind;
  const index = name === '' ? numbering.next++ : Number(name);
  const value = args.positional[index];
  if (value !== undefined) return value;
  throw new PythonError('IndexError', `Replacement index ${index} out of range for positional args tuple`);
}
