import { isSpace } from './code-points.ts';
import { PythonError, unsupported } from './python-error.ts';
import { integerInText } from './python-text.ts';
import { Dict, Tuple, type Value } from './values.ts';

/**
 * Python's `ast.literal_eval`. Throws a PythonError: a ValueError where Python raises one or a SyntaxError, `Unsupported`
 * for a literal that has no value here, such as a set.
 */
export function literalIn(text: string): Value {
  const reader = new LiteralReader(text.replace(/^[ \t]+/, ''));
  return reader.whole();
}

const names: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['None', null],
  ['True', true],
  ['False', false],
]);
const mostDepth = 100;
const escapeSequence = /^\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|[\s\S])/;
const stringStart = /^([a-z]{0,2})('''|"""|'|")/i;
const number =
  /^(?:0[xob][0-9a-f_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d[\d_]*)?)(j?)(?![\p{L}\p{N}_])/iu;

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Value {
    this.#skip(true);
    const first = this.#value();
    this.#skip(false);
    const value = this.#next() === ',' ? this.#tuple(first) : first;
    this.#skip(true);
    if (this.#at < this.#text.length) throw this.#bad();
    return value;
  }

  #value(): Value {
    const character = this.#next();
    if (character === '[') return this.#items(']');
    if (character === '(') return this.#parenthesized();
    if (character === '{') return this.#dict();
    if (character === '+' || character === '-') {
      this.#at += 1;
      this.#skip(this.#depth > 0);
      const value = this.#number();
      return character === '+' ? value : -value;
    }
    if (/[\d.]/.test(character)) return this.#number();
    if (stringStart.test(this.#rest())) return this.#strings();
    const [name = ''] = /^[\p{L}_][\p{L}\p{N}_]*/u.exec(this.#rest()) ?? [];
    const value = names.get(name);
    if (value === undefined) {
      if (/^set\s*\(\s*\)/.test(this.#rest())) throw unsupported('a set');
      throw this.#bad();
    }
    this.#at += name.length;
    return value;
  }

  /** The items up to the closing bracket, after the opening one. */
  #items(end: string): readonly Value[] {
    this.#enter();
    const items: Value[] = [];
    while (this.#next() !== end) {
      items.push(this.#value());
      this.#separator(end);
    }
    this.#leave();
    return items;
  }

  #parenthesized(): Value {
    this.#enter();
    if (this.#next() === ')') {
      this.#leave();
      return new Tuple([]);
    }
    const first = this.#value();
    this.#skip(true);
    if (this.#next() === ')') {
      this.#leave();
      return first;
    }
    this.#separator(')');
    const items = [first];
    while (this.#next() !== ')') {
      items.push(this.#value());
      this.#separator(')');
    }
    this.#leave();
    return new Tuple(items);
  }

  #dict(): Value {
    this.#enter();
    const entries: (readonly [Value, Value])[] = [];
    while (this.#next() !== '}') {
      const key = this.#value();
      this.#skip(true);
      if (this.#next() !== ':') {
        if (entries.length === 0 && /[,}]/.test(this.#next())) throw unsupported('a set');
        throw this.#bad();
      }
      this.#at += 1;
      this.#skip(true);
      entries.push([key, this.#value()]);
      this.#separator('}');
    }
    this.#leave();
    return new Dict(entries);
  }

  /** `1, 2` without parentheses. */
  #tuple(first: Value): Value {
    const items = [first];
    while (this.#next() === ',') {
      this.#at += 1;
      this.#skip(false);
      if (this.#at < this.#text.length && !/[\r\n]/.test(this.#next())) items.push(this.#value());
      this.#skip(false);
    }
    return new Tuple(items);
  }

  #number(): bigint | number {
    const [text = '', imaginary] = number.exec(this.#rest()) ?? [];
    if (text === '') throw this.#bad();
    if (imaginary || /^\s*[+-]\s*[\d.]+j/i.test(this.#rest().slice(text.length)))
      throw unsupported('a complex number');
    this.#at += text.length;
    const integer = /^(?:0[xob]|\d[\d_]*$)/i.test(text) ? integerInText(text, 0) : undefined;
    if (integer !== undefined) return integer;
    if (/^[\d_]+$/.test(text) || /^0[xob]/i.test(text) || /__|_\b/.test(text)) throw this.#bad();
    return Number(text.replaceAll('_', ''));
  }

  /** One string, or several that Python joins. */
  #strings(): string {
    let joined = '';
    while (stringStart.test(this.#rest())) {
      joined += this.#string();
      this.#skip(this.#depth > 0);
    }
    return joined;
  }

  #string(): string {
    const [start = '', prefix = '', quote = ''] = stringStart.exec(this.#rest()) ?? [];
    const kind = prefix.toLowerCase();
    if (/b/.test(kind)) throw unsupported('a bytes literal');
    if (!['', 'r', 'u'].includes(kind)) throw this.#bad();
    this.#at += start.length;
    let content = '';
    while (!this.#text.startsWith(quote, this.#at)) {
      const character = this.#next();
      if (character === '' || (quote.length === 1 && /[\r\n]/.test(character))) throw this.#bad();
      const isEscape = character === '\\';
      content += isEscape && kind === 'r' ? this.#text.slice(this.#at, this.#at + 2) : '';
      if (isEscape && kind !== 'r') content += this.#escape();
      else this.#at += isEscape ? 2 : 1;
      if (!isEscape) content += character;
    }
    this.#at += quote.length;
    return content;
  }

  /** A backslash and what follows; Python keeps both where they mean nothing. */
  #escape(): string {
    const [text = '', octal, ...codes] = escapeSequence.exec(this.#rest()) ?? [];
    this.#at += text.length;
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const code = codes.find((digits) => digits !== undefined);
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    if (/^\\[xuU]/.test(text)) throw this.#bad();
    if (text === '\\N') throw unsupported('`\\N{...}` in a string');
    return escapes[text[1] ?? ''] ?? text;
  }

  #separator(end: string): void {
    this.#skip(true);
    const next = this.#next();
    if (next !== ',' && next !== end) throw this.#bad();
    if (next === ',') this.#at += 1;
    this.#skip(true);
  }

  #enter(): void {
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > mostDepth) throw unsupported('so many brackets in one another');
    this.#skip(true);
  }

  #leave(): void {
    this.#at += 1;
    this.#depth -= 1;
  }

  /** Passes blanks and, between brackets, line ends and comments. */
  #skip(acrossLines: boolean): void {
    for (;;) {
      const next = this.#next();
      if (/[ \t\f]/.test(next) || (acrossLines && isSpace(next) && /[\r\n]/.test(next))) this.#at += 1;
      else if (next === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end === -1 ? this.#text.length : end;
        if (!acrossLines) return;
      } else return;
    }
  }

  /** The UTF-16 unit that comes next; empty at the end. */
  #next(): string {
    return this.#text[this.#at] ?? '';
  }

  #rest(): string {
    return this.#text.slice(this.#at);
  }

  #bad(): PythonError {
    const shown = this.#text.length > 80 ? `${this.#text.slice(0, 80)}...` : this.#text;
    return new PythonError('ValueError', `${JSON.stringify(shown)} is no Python literal`);
  }
}

const escapes: Readonly<Record<string, string>> = {
  ...{ '\n': '', '\\': '\\', "'": "'", '"': '"', a: '\x07', b: '\b' },
  ...{ f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
};
