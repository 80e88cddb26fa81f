/** The exceptions that Python and Jinja raise while a template is rendered, and two of this engine's. */
export type ErrorKind =
  | 'TypeError'
  | 'ValueError'
  | 'IndexError'
  | 'KeyError'
  | 'OverflowError'
  | 'ZeroDivisionError'
  | 'RuntimeError'
  | 'UndefinedError'
  | 'SecurityError'
  /** A text, list or number that grows beyond what a template may make. */
  | 'Limit'
  /** Python has it, this engine does not. */
  | 'Unsupported';

/** An error of the template at `line`, which the innermost expression fills in, in the output of `within`. */
export class PythonError extends Error {
  readonly kind: ErrorKind;
  line: number | undefined;
  within: string | undefined;

  constructor(kind: ErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** What a template said to `raise_exception`. */
export class RaisedByTemplate extends Error {}

/** A template that does not parse. */
export class TemplateSyntaxError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

export const typeError = (message: string): PythonError => new PythonError('TypeError', message);
export const valueError = (message: string): PythonError => new PythonError('ValueError', message);
export const unsupported = (what: string): PythonError =>
  new PythonError('Unsupported', `${what} is not supported`);
