import type { Json } from '../../json.ts';

/** `a`, `b` or `c`, each quoted. */
export function listOf(names: readonly string[], conjunction: 'or' | 'and'): string {
  return joined(names.map(quoted), conjunction);
}

/** a, b or c. */
export function joined(phrases: readonly string[], conjunction: 'or' | 'and'): string {
  const last = phrases.at(-1) ?? '';
  return phrases.length < 2 ? last : `${phrases.slice(0, -1).join(', ')} ${conjunction} ${last}`;
}

/** A name in a sentence, on one line. */
export const quoted = (text: string): string => `\`${text.replaceAll('\n', '⏎')}\``;

/** A value as a sentence names it: the text `x`, 3, a list. */
export function valueInWords(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'empty';
  if (typeof value === 'string')
    return value === '' ? 'an empty text' : `the text ${quoted(shortened(value))}`;
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'a map';
  return quoted(String(value));
}

export function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 60 ? line : `${line.slice(0, 57)}...`;
}
