/** The lines on which the rows of a valid JSON text begin, found by the fields that lead to them; the first line is 1. */
export function itemLines(text: string, names: readonly string[]): readonly number[] {
  const scanner = new Scanner(text);
  scanner.value(names);
  return scanner.lines;
}

class Scanner {
  readonly lines: number[] = [];
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** Passes a value; its items are rows if no names are left. */
  value(names: readonly string[]): void {
    const opening = this.#next();
    if (opening === '[') this.#members(() => this.#item(names));
    else if (opening === '{' && names.length > 0) this.#fields(names);
    else this.#skip();
  }

  #item(names: readonly string[]): void {
    if (names.length === 0) this.#row();
    else if (this.#next() === '{') this.#fields(names);
    else this.#skip();
  }

  #row(): void {
    this.#next();
    this.lines.push(this.#line);
    this.#skip();
  }

  /** Passes an object, whose field of the first name leads on. */
  #fields([name, ...names]: readonly string[]): void {
    const isInList = this.#lists > 0;
    this.#members(() => {
      this.#next();
      const start = this.#at;
      this.#string();
      const isNamed = JSON.parse(this.#text.slice(start, this.#at)) === name;
      this.#next(); // the colon
      this.#at += 1;
      if (!isNamed) this.#skip();
      else if (isInList && names.length === 0 && this.#next() !== '[') this.#row();
      else this.value(names);
    });
  }

  #lists = 0;

  /** Passes a list or an object, whose members `member` passes. */
  #members(member: () => void): void {
    const isList = this.#text[this.#at] === '[';
    if (isList) this.#lists += 1;
    this.#at += 1;
    for (let next = this.#next(); next !== ']' && next !== '}' && next !== undefined; next = this.#next())
      if (next === ',') this.#at += 1;
      else member();
    this.#at += 1;
    if (isList) this.#lists -= 1;
  }

  /** Passes a value of any depth. */
  #skip(): void {
    let depth = 0;
    do {
      const next = this.#next();
      if (next === undefined) return;
      if (next === '"') this.#string();
      else this.#at += 1;
      if (next === '[' || next === '{') depth += 1;
      if (next === ']' || next === '}') depth -= 1;
      if (depth === 0 && next !== '"' && !brackets.has(next)) this.#literal();
    } while (depth > 0);
  }

  /** Passes the rest of a number or of true, false, null. */
  #literal(): void {
    while (/[\w.+-]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  /** A string has no line breaks. */
  #string(): void {
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"')
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at += 1;
  }

  /** Passes white space; the character after it. */
  #next(): string | undefined {
    for (; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === '\n') this.#line += 1;
      else if (character !== ' ' && character !== '\t' && character !== '\r') return character;
    }
  }
}

const brackets = new Set(['[', ']', '{', '}']);
