import type { Json } from '../../core/index.ts';
import type { TextFile } from './text-file.ts';

/** A half-open range of UTF-16 offsets in one file. */
export interface Span {
  readonly file: TextFile;
  readonly start: number;
  readonly end: number;
}

/** One mistake of the user's: what is wrong, where, and how to fix it. */
export interface Diagnostic {
  /** Stable and greppable, for example `unknown-field`. */
  readonly code: string;
  /** One sentence that names the value and the place, without a final period. */
  readonly message: string;
  /** Absent only where no file is at fault, as for an unknown stage on the command line. */
  readonly span?: Span;
  readonly help?: string;
  readonly related?: RelatedSpan;
}

/** A second place that explains the first, such as the other end of a type mismatch. */
export type RelatedSpan = { readonly span: Span } & (
  | { readonly kind: 'first' | 'file' | 'input' | 'own-stage' | 'removal' | 'sweep' | 'use' | 'value' }
  | { readonly kind: 'stage'; readonly id: string }
);

export function relatedMessage(related: RelatedSpan): string {
  switch (related.kind) {
    case 'first':
      return 'the first one is here';
    case 'file':
      return 'the file is named here';
    case 'input':
      return 'the input is declared here';
    case 'own-stage':
      return 'the stage is used here';
    case 'removal':
      return 'it is removed here';
    case 'stage':
      return `stage ${quoted(related.id)} is here`;
    case 'sweep':
      return 'it is swept over here';
    case 'use':
      return 'it is used here';
    case 'value':
      return 'its value is here';
    default:
      return related satisfies never;
  }
}

/** What could be made of the user's input, and every mistake in it: checking continues after the first. */
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

/** A list of which people read no more than this. */
const FEW = 8;

/** a, b or c; of a long list the first, and how many more there are. */
export function fewOf(phrases: readonly string[], conjunction: 'or' | 'and'): string {
  const rest = phrases.length - FEW;
  return rest <= 1
    ? joined(phrases, conjunction)
    : joined([...phrases.slice(0, FEW), `${rest} more`], conjunction);
}

/** A name in a sentence, kept on one line. */
export const quoted = (text: string): string => `\`${text.replaceAll('\n', '⏎')}\``;

/** Another tool's sentence as a part of ours. */
export const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** How a sentence calls a value: the text `x`, 3, a list. */
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
