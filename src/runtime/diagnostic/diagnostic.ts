import type { SourceFile } from '../source/source-file.ts';

/** A half-open range of UTF-16 offsets in one file. */
export interface Span {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** One mistake of the user: what is wrong, where, and how to mend it. */
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
