/** A str in Python is a sequence of code points, a string in JavaScript one of UTF-16 units. */

const surrogate = /[\ud800-\udfff]/;

/** Whether a text has as many code points as UTF-16 units. */
const isPlain = (text: string): boolean => !surrogate.test(text);

export function codePointCount(text: string): number {
  if (isPlain(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The code points of a text, or the text itself where they are its units: both can be indexed. */
export const indexable = (text: string): string | readonly string[] => (isPlain(text) ? text : [...text]);

/** The number of code points before the UTF-16 unit at `index`. */
export const codePointIndex = (text: string, index: number): number => codePointCount(text.slice(0, index));

/** Orders texts by code points. */
export function compareText(a: string, b: string): number {
  if (isPlain(a) && isPlain(b)) return a < b ? -1 : a > b ? 1 : 0;
  const [left, right] = [[...a], [...b]];
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const difference = (one.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** What Python's `str.isspace` and `\s` accept, for a character class. */
export const space =
  '\\t\\n\\v\\f\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
/** White space that separates words. */
export const spaceRun = new RegExp(`[${space}]+`);
const leading = new RegExp(`^[${space}]+`);
const spaces = new RegExp(`[${space}]+`);

/** The words of a text as Python's `str.split()` finds them. */
export const wordsOf = (text: string): readonly string[] => text.split(spaces).filter((word) => word !== '');

export const isSpace = (character: string): boolean => leading.test(character);

export const trimStart = (text: string): string => text.replace(leading, '');

/** By hand: a regular expression would begin anew at each run of spaces. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1] ?? '')) end--;
  return text.slice(0, end);
}

/** Python's `text.strip()`. */
export const stripSpace = (text: string): string => trimEnd(trimStart(text));

const lineEnds = '\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029';
const lineEnd = new RegExp(`\\r\\n|[${lineEnds}]`, 'g');

/** The lines of a text as Python's `str.splitlines` finds them. */
export function linesOf(text: string, keepEnds = false): readonly string[] {
  const lines: string[] = [];
  let start = 0;
  for (const { 0: end, index } of text.matchAll(lineEnd)) {
    lines.push(text.slice(start, keepEnds ? index + end.length : index));
    start = index + end.length;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}
