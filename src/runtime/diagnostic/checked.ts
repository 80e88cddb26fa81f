import type { Diagnostic } from './diagnostic.ts';

/** What could be made of the user's input, beside every mistake in it: checking goes on after the first. */
export interface Checked<T> {
  readonly value: T;
  readonly diagnostics: readonly Diagnostic[];
}
