import { PythonError, unsupported } from './python-error.ts';
import { patternSource } from './python-pattern.ts';

/** What `findall` gives for a match: its text, or the texts of its groups if there are several. */
export type Found = string | readonly string[];

/** A pattern of Python's `re` over str. What JavaScript would match differently is refused. */
export class PythonRegex {
  readonly #regex: RegExp;
  readonly #names: ReadonlyMap<string, number>;

  /** Throws a PythonError for a pattern that does not parse or is not supported. */
  constructor(pattern: string) {
    const { source, flags, names } = patternSource(pattern);
    this.#names = names;
    try {
      this.#regex = new RegExp(source, `gv${flags}`);
    } catch {
      throw unsupported(`the regular expression ${JSON.stringify(pattern)}`);
    }
  }

  /** Python's `findall`: what each match found, from left to right. */
  findAll(text: string): readonly Found[] {
    return [...text.matchAll(this.#regex)].map(([whole, ...groups]) => {
      const found = groups.map((group) => group ?? '');
      return found.length > 1 ? found : (found[0] ?? whole);
    });
  }

  /** Python's `sub`; a `count` of 0 replaces all matches. */
  replace(text: string, replacement: string, count = 0): string {
    const write = replacementOf(replacement, this.#names);
    let done = 0;
    return text.replace(this.#regex, (...found: unknown[]) => {
      const match = found as (string | undefined)[]; // the groups come first; what follows is not read
      done += 1;
      return count > 0 && done > count ? (match[0] ?? '') : write(match);
    });
  }
}

const escapes: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' },
};
const part = /\\(?:g<(\w+)>|(0[0-7]{0,2})|(\d\d?)|([\s\S]))|[^\\]+|\\/g;

/** A replacement with `\1`, `\g<1>` or `\g<name>` for what a group matched. */
function replacementOf(
  replacement: string,
  names: ReadonlyMap<string, number>,
): (match: readonly (string | undefined)[]) => string {
  const parts = [...replacement.matchAll(part)].map(([text, name, octal, number, letter]) => {
    if (name !== undefined) return groupOf(name, names);
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (number !== undefined) return Number(number);
    if (letter === undefined) return text;
    const known = escapes[letter];
    if (known !== undefined) return known;
    if (/[a-z]/i.test(letter)) throw new PythonError('ValueError', `bad escape \\${letter} in a replacement`);
    return text;
  });
  return (match) => parts.map((one) => (typeof one === 'number' ? (match[one] ?? '') : one)).join('');
}

function groupOf(name: string, names: ReadonlyMap<string, number>): number {
  const number = /^\d+$/.test(name) ? Number(name) : names.get(name);
  if (number === undefined) throw new PythonError('ValueError', `unknown group name '${name}'`);
  return number;
}

const special = /[()[\]{}?*+\-|^$\\.&~# \t\n\r\v\f]/g;

/** Python's `re.escape`. */
export const escapePattern = (text: string): string => text.replace(special, '\\$&');
