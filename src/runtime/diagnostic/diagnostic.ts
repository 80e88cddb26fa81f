import type { Json } from '../../core/index.ts';
import type { TextFile } from './text-file.ts';

/** A half-open range of UTF-16 offsets in one file. */
export interface Span {
  readonly file: TextFile;
  readonly start: number;
  readonly end: number;
}

/** One mistake of the user: what is wrong, where, and how to fix it. */
export interface Diagnostic {
  /** Stable and greppable, for example `unknown-field`. */
  readonly code: string;
  /** One sentence that names the value and the place, without a final full stop. */
  readonly message: string;
  /** Absent only where no file is at fault, as for a bad command-line override. */
  readonly span?: Span;
  readonly help?: string;
  /** A second place that explains the first, such as the other end of a type mismatch. */
  readonly related?: { readonly span: Span; readonly message: string };
}

/** What could be made of the user's input, beside every mistake in it: checking goes on after the first. */
export interface Checked<T> {
  readonly value: T;
  readonly diagnostics: readonly Diagnostic[];
}

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

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 60 ? line : `${line.slice(0, 57)}...`;
}
