import { textArgument } from './arguments.ts';
import { codePointCount, indexable, isSpace, space, trimEnd, trimStart } from './code-points.ts';
import { growText } from './growth.ts';
import { typeError, valueError } from './python-error.ts';
import { textIn, type Value } from './values.ts';

export function joinTexts(texts: readonly string[], separator: string): string {
  growText(texts.reduce((sum, text) => sum + text.length + separator.length, 0));
  return texts.join(separator);
}

/** Without the given characters, by default white space, at the ends that the method's name says. */
export function stripText(text: string, characters: Value, name: 'strip' | 'lstrip' | 'rstrip'): string {
  if (characters === null) {
    const right = name === 'lstrip' ? text : trimEnd(text);
    return name === 'rstrip' ? right : trimStart(right);
  }
  const given = textIn(characters);
  if (given === undefined) throw typeError(`${name} arg must be None or str`);
  const set = new Set(given);
  const all = indexable(text);
  let [start, end] = [0, all.length];
  if (name !== 'rstrip') while (start < end && set.has(all[start] ?? '')) start++;
  if (name !== 'lstrip') while (end > start && set.has(all[end - 1] ?? '')) end--;
  return typeof all === 'string' ? all.slice(start, end) : all.slice(start, end).join('');
}

export function replaceText(
  text: string,
  [old, replacement]: readonly [string, string],
  count: number,
): string {
  const pieces = old === '' ? ['', ...text, ''] : text.split(old);
  const replaced = count < 0 ? pieces.length - 1 : Math.min(count, pieces.length - 1);
  growText(text.length + replaced * replacement.length);
  if (old === '' && count >= 0 && replaced > text.length) return pieces.join(replacement);
  return (
    pieces
      .slice(0, replaced)
      .map((piece) => piece + replacement)
      .join('') + pieces.slice(replaced).join(old)
  );
}

const spaces = new RegExp(`[${space}]+`, 'g');

export function splitText(text: string, separator: Value, most: number): readonly string[] {
  if (separator === null) {
    const rest = trimStart(text);
    const words: string[] = [];
    let start = 0;
    for (const { index, 0: gap } of rest.matchAll(spaces)) {
      if (most >= 0 && words.length >= most) break;
      words.push(rest.slice(start, index));
      start = index + gap.length;
    }
    return start < rest.length ? [...words, rest.slice(start)] : words;
  }
  const by = separatorOf(separator);
  const pieces = text.split(by);
  if (most < 0 || pieces.length <= most + 1) return pieces;
  return [...pieces.slice(0, most), pieces.slice(most).join(by)];
}

function separatorOf(separator: Value): string {
  const by = textArgument('sep', separator);
  if (by === '') throw valueError('empty separator');
  return by;
}

export function splitFromEnd(text: string, separator: Value, most: number): readonly string[] {
  if (most < 0) return splitText(text, separator, -1);
  if (separator !== null) {
    const by = separatorOf(separator);
    const parts: string[] = [];
    let rest = text;
    for (
      let index = rest.lastIndexOf(by);
      index !== -1 && parts.length < most;
      index = rest.lastIndexOf(by)
    ) {
      parts.unshift(rest.slice(index + by.length));
      rest = rest.slice(0, index);
    }
    return [rest, ...parts];
  }
  const words: string[] = [];
  let rest = trimEnd(text);
  while (rest !== '' && words.length < most) {
    let start = rest.length;
    while (start > 0 && !isSpace(rest[start - 1] ?? '')) start--;
    words.unshift(rest.slice(start));
    rest = trimEnd(rest.slice(0, start));
  }
  return rest === '' ? words : [rest, ...words];
}

export function justify(
  text: string,
  width: number,
  { filler = ' ', name }: { filler?: string; name: 'center' | 'ljust' | 'rjust' },
): string {
  const missing = width - codePointCount(text);
  if (missing <= 0) return text;
  growText(width);
  const before =
    name === 'center' ? Math.floor(missing / 2) + (missing & width & 1) : name === 'ljust' ? 0 : missing;
  return filler.repeat(before) + text + filler.repeat(missing - before);
}
