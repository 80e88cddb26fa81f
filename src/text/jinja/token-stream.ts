import { TemplateSyntaxError } from './python-error.ts';
import type { Token } from './tokens.ts';

/** More levels of parentheses and blocks could exhaust the stack. Python's own parser stops at 200. */
const deepest = 200;

/** The tokens of a template in turn, with what the parser asks of them. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], source: string) {
    this.#tokens = tokens;
    this.#source = source;
  }

  get current(): Token {
    return this.#tokens[this.#at] ?? this.#last;
  }

  get following(): Token {
    return this.#tokens[this.#at + 1] ?? this.#last;
  }

  get #last(): Token {
    const last = this.#tokens.at(-1);
    if (last === undefined) throw new Error('A template has an end');
    return last;
  }

  next(): Token {
    const token = this.current;
    this.#at++;
    return token;
  }

  is(type: Token['type'], value?: string): boolean {
    return this.current.type === type && (value === undefined || this.current.value === value);
  }

  isName = (...names: readonly string[]): boolean => names.some((name) => this.is('name', name));
  isOperator = (value: string): boolean => this.is('operator', value);

  skip(type: Token['type'], value: string): boolean {
    const found = this.is(type, value);
    if (found) this.#at++;
    return found;
  }

  skipName = (name: string): boolean => this.skip('name', name);
  skipOperator = (value: string): boolean => this.skip('operator', value);

  expect(type: Token['type'], value?: string): Token {
    if (this.is(type, value)) return this.next();
    const wanted = type === 'end' ? 'the end of the tag' : `'${value ?? type}'`;
    const end = this.current.type === 'end of template';
    throw this.error(
      end
        ? `unexpected end of template, expected ${wanted}`
        : `expected ${wanted}, got '${this.#shown(this.current)}'`,
    );
  }

  expectName(): string {
    return String(this.expect('name').value);
  }

  /** The source between the ends of two tokens, without the white space around it. */
  sourceFrom(start: number): string {
    const end = this.#tokens[this.#at - 1]?.end ?? start;
    return this.#source.slice(start, end).trim();
  }

  error(message: string, line = this.current.line): TemplateSyntaxError {
    return new TemplateSyntaxError(message, line);
  }

  unexpected(): TemplateSyntaxError {
    return this.error(`unexpected '${this.#shown(this.current)}'`);
  }

  #shown({ type, value }: Token): string {
    if (type === 'end') return value === '{{' ? '}}' : '%}';
    return type === 'end of template' || type === 'text' ? type : String(value);
  }

  /** Parses what can contain itself. */
  nested<Result>(parse: () => Result): Result {
    if (++this.#depth > deepest) throw this.error(`it is nested more than ${deepest} levels deep`);
    const result = parse();
    this.#depth--;
    return result;
  }
}
