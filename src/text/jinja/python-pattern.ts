import { space } from './code-points.ts';
import { PythonError, unsupported } from './python-error.ts';

interface PatternSource {
  /** For JavaScript's `v` mode. */
  readonly source: string;
  /** `i` or nothing. */
  readonly flags: string;
  /** Group name -> number. */
  readonly names: ReadonlyMap<string, number>;
}

/** A pattern of Python's `re` as one that JavaScript matches equally. Throws a PythonError where there is none. */
export function patternSource(pattern: string): PatternSource {
  const [, letters = ''] = /^\(\?([a-zA-Z]+)\)/.exec(pattern) ?? [];
  const rest = letters === '' ? pattern : pattern.slice(letters.length + 3);
  const translation = new Translation(rest, new Set(letters));
  const source = translation.source();
  return { source, flags: letters.includes('i') ? 'i' : '', names: translation.names };
}

/** A group whose end has not been read. */
interface OpenGroup {
  /** Whether a group inside it captures. */
  captures: boolean;
  /** Where its translation begins. */
  readonly start: number;
}

const classes: Readonly<Record<string, { readonly unicode: string; readonly ascii: string }>> = {
  d: { unicode: '\\p{Nd}', ascii: '0-9' },
  w: { unicode: '\\p{L}\\p{N}_', ascii: 'a-zA-Z0-9_' },
  s: { unicode: space, ascii: ' \\t\\n\\r\\f\\v' },
};
const controls: Readonly<Record<string, string>> = {
  ...{ a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
};

class Translation {
  readonly names = new Map<string, number>();
  readonly #pattern: string;
  readonly #flags: ReadonlySet<string>;
  readonly #open: OpenGroup[] = [];
  #at = 0;
  #groups = 0;
  readonly #out: string[] = [];

  constructor(pattern: string, flags: ReadonlySet<string>) {
    this.#pattern = pattern;
    this.#flags = flags;
    for (const flag of flags)
      if (!'aimsu'.includes(flag)) throw unsupported(`the flag \`${flag}\` of a regular expression`);
  }

  source(): string {
    while (this.#at < this.#pattern.length) this.#out.push(this.#item());
    if (this.#open.length > 0) throw this.#bad('a group has no end');
    return this.#out.join('');
  }

  #item(): string {
    const character = this.#take();
    switch (character) {
      case '(':
        return this.#openGroup();
      case ')':
        return this.#closeGroup();
      case '[':
        return this.#quantified(this.#set());
      case '\\':
        return this.#escape();
      case '.':
        return this.#quantified(this.#flags.has('s') ? '[\\s\\S]' : '[^\\n]');
      case '^':
        return this.#flags.has('m') ? '(?<![^\\n])' : '(?<![\\s\\S])';
      case '$':
        return this.#flags.has('m') ? '(?![^\\n])' : '(?=\\n?(?![\\s\\S]))';
      case '|':
        return '|';
      case '*':
      case '+':
      case '?':
        throw this.#bad(`nothing to repeat at position ${this.#at - 1}`);
      default:
        return this.#quantified(literal(character));
    }
  }

  #openGroup(): string {
    const [kind = '', name] = /^\?(?:P<([^>]*)>|:|=|!|<=|<!|#[^)]*\)|.)/.exec(this.#rest()) ?? [];
    this.#at += kind.length;
    if (kind.startsWith('?#')) return '';
    const isCapture = kind === '' || name !== undefined;
    if (!isCapture && !['?:', '?=', '?!', '?<=', '?<!'].includes(kind))
      throw unsupported(`\`(${kind}\` in a regular expression`);
    if (isCapture) {
      this.#groups += 1;
      for (const group of this.#open) group.captures = true;
    }
    if (name !== undefined) this.names.set(name, this.#groups);
    this.#open.push({ captures: false, start: this.#out.length });
    return isCapture ? '(' : `(${kind}`;
  }

  #closeGroup(): string {
    const group = this.#open.pop();
    if (group === undefined) throw this.#bad('unbalanced parenthesis');
    const text = `${this.#out.splice(group.start).join('')})`;
    const quantifier = this.#quantifier();
    // Python keeps what such a group matched last, JavaScript forgets it when the repetition begins anew.
    if (group.captures && !['', '?', '??'].includes(quantifier))
      throw unsupported('a repeated part of a regular expression with groups in it');
    return text + quantifier;
  }

  #escape(): string {
    const character = this.#take();
    if (/[1-9]/.test(character)) throw unsupported('a backreference in a regular expression');
    if (character === 'A') return '(?<![\\s\\S])';
    if (character === 'Z') return '(?![\\s\\S])';
    if (character === 'b' || character === 'B') {
      const word = `[${this.#class('w')}]`;
      const [edge, within] = [
        `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`,
        `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`,
      ];
      return character === 'b' ? edge : within;
    }
    const negated = /[DWS]/.test(character);
    if (negated || /[dws]/.test(character))
      return this.#quantified(`[${negated ? '^' : ''}${this.#class(character.toLowerCase())}]`);
    return this.#quantified(literal(this.#escaped(character)));
  }

  /** `[...]` after its opening bracket. */
  #set(): string {
    let content = '';
    const isNegated = this.#pattern[this.#at] === '^';
    if (isNegated) this.#at += 1;
    for (let first = true; first || this.#pattern[this.#at] !== ']'; first = false) {
      const low = this.#setItem();
      const isRange = this.#pattern[this.#at] === '-' && (this.#pattern[this.#at + 1] ?? ']') !== ']';
      if (!isRange) {
        content += low.text;
        continue;
      }
      this.#at += 1;
      const high = this.#setItem();
      if (low.isClass || high.isClass) throw this.#bad('bad character range');
      content += `${low.text}-${high.text}`;
    }
    this.#at += 1;
    return `[${isNegated ? '^' : ''}${content}]`;
  }

  #setItem(): { readonly text: string; readonly isClass: boolean } {
    const character = this.#take();
    if (character !== '\\') return { text: literal(character), isClass: false };
    const escaped = this.#take();
    if (/[dws]/.test(escaped)) return { text: this.#class(escaped), isClass: true };
    if (/[DWS]/.test(escaped)) return { text: `[^${this.#class(escaped.toLowerCase())}]`, isClass: true };
    return { text: literal(escaped === 'b' ? '\b' : this.#escaped(escaped)), isClass: false };
  }

  /** The character that a backslash and `character` stand for. */
  #escaped(character: string): string {
    const control = controls[character];
    if (control !== undefined) return control;
    const digits = { x: 2, u: 4, U: 8 }[character];
    if (digits !== undefined) {
      const code = this.#pattern.slice(this.#at, this.#at + digits);
      this.#at += digits;
      if (code.length < digits || /[^0-9a-f]/i.test(code))
        throw this.#bad(`incomplete escape \\${character}`);
      return String.fromCodePoint(Number.parseInt(code, 16));
    }
    if (character === '0') {
      const [octal = ''] = /^[0-7]{0,2}/.exec(this.#rest()) ?? [];
      this.#at += octal.length;
      return String.fromCharCode(Number.parseInt(`0${octal}`, 8));
    }
    if (/[a-z0-9]/i.test(character)) throw unsupported(`\`\\${character}\` in a regular expression`);
    return character;
  }

  #class(name: string): string {
    const found = classes[name];
    return (this.#flags.has('a') ? found?.ascii : found?.unicode) ?? '';
  }

  #quantified(item: string): string {
    return item + this.#quantifier();
  }

  #quantifier(): string {
    const [text = '', least, most] = /^(?:[*+?]|\{(\d*)(?:,(\d*))?\})/.exec(this.#rest()) ?? [];
    if (text === '' || text === '{}') return '';
    this.#at += text.length;
    const next = this.#pattern[this.#at];
    if (next === '+') throw unsupported('a possessive quantifier in a regular expression');
    if (next === '?') this.#at += 1;
    const isBraced = text.startsWith('{');
    const bounds = isBraced ? `{${least || '0'}${text.includes(',') ? `,${most ?? ''}` : ''}}` : text;
    return bounds + (next === '?' ? '?' : '');
  }

  #take(): string {
    const [character] = this.#rest();
    if (character === undefined) throw this.#bad('it ends too early');
    this.#at += character.length;
    return character;
  }

  #rest(): string {
    return this.#pattern.slice(this.#at);
  }

  #bad(reason: string): PythonError {
    return new PythonError(
      'ValueError',
      `the regular expression ${JSON.stringify(this.#pattern)} does not parse: ${reason}`,
    );
  }
}

/** A character as itself, in a set or outside of one. */
const literal = (character: string): string =>
  /[a-zA-Z0-9]|[^\0-\x7f]/.test(character)
    ? character
    : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
