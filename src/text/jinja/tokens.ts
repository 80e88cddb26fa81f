import { space, trimEnd } from './code-points.ts';
import { TemplateSyntaxError } from './python-error.ts';

/** `text` outside tags; `begin` and `end` of tags; the rest stands in tags. */
interface TokenOf<Type extends string, Content> {
  readonly type: Type;
  readonly value: Content;
  readonly line: number;
  /** Where it is in the source. */
  readonly start: number;
  readonly end: number;
}

export type Token =
  | TokenOf<'text' | 'name' | 'string' | 'operator' | 'end of template', string>
  | TokenOf<'integer', bigint>
  | TokenOf<'float', number>
  | TokenOf<'begin' | 'end', '{{' | '{%'>;

export interface WhiteSpaceRules {
  /** A line feed after a block or comment is removed. */
  readonly trimBlocks: boolean;
  /** White space before a block or comment is removed from the start of its line. */
  readonly lstripBlocks: boolean;
  /** Otherwise one line feed at the end of the template is removed. */
  readonly keepTrailingNewline: boolean;
}

/** With the line ends that Jinja reads, `\r\n` and `\r`, as line feeds. */
export function normalizedSource(source: string, { keepTrailingNewline }: WhiteSpaceRules): string {
  const text = source.replace(/\r\n?/g, '\n');
  return keepTrailingNewline ? text : text.replace(/\n$/, '');
}

const white = `[${space}]`;
const rawBegin = new RegExp(`\\{%([-+]?)${white}*raw${white}*(?:-%\\}${white}*|%\\})`, 'y');
const tokens = new RegExp(
  [
    `(?<space>${white}+)`,
    '(?<float>(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?e[+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+))',
    '(?<integer>0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\\da-f])+|[1-9](?:_?\\d)*|0(?:_?0)*)',
    '(?<name>[\\p{L}\\p{M}\\p{N}\\p{Pc}·]+)',
    '(?<string>\'[^\'\\\\]*(?:\\\\.[^\'\\\\]*)*\'|"[^"\\\\]*(?:\\\\.[^"\\\\]*)*")',
    '(?<operator>//|\\*\\*|==|!=|>=|<=|[-+/*%~[\\](){}><=.:|,;])',
  ].join('|'),
  'iyus',
);
const identifier = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;
const closers: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };

/** The tokens of a normalized source. Throws a TemplateSyntaxError. */
export function tokenize(source: string, rules: WhiteSpaceRules): readonly Token[] {
  const found: Token[] = [];
  let at = 0;
  let line = 1;
  let startsLine = true;
  const countLines = (start: number, end: number): void => {
    for (let i = source.indexOf('\n', start); i !== -1 && i < end; i = source.indexOf('\n', i + 1)) line++;
  };
  /** Moves behind `end`, where the next text begins. */
  const advance = (end: number): void => {
    countLines(at, end);
    startsLine = end > at ? source[end - 1] === '\n' : startsLine;
    at = end;
  };
  const pushText = (end: number, sign: string, strips: boolean): void => {
    const text = stripped(source.slice(at, end), { sign, strips: strips && rules.lstripBlocks, startsLine });
    if (text !== '') found.push({ type: 'text', value: text, line, start: at, end });
    countLines(at, end);
    at = end;
  };
  /** The length of a tag's end and of the white space that it removes. */
  const ending = (close: '%}' | '#}' | '}}'): number => {
    const pattern =
      close === '}}'
        ? new RegExp(`-\\}\\}${white}*|\\}\\}`, 'y')
        : new RegExp(`\\+${close}|-${close}${white}*|${close}${rules.trimBlocks ? '\\n?' : ''}`, 'y');
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0].length ?? 0;
  };
  while (at < source.length) {
    const open = nextTag(source, at);
    if (open === -1) {
      pushText(source.length, '+', false);
      break;
    }
    const tag = source.slice(open, open + 2) as '{{' | '{%' | '{#'; // as nextTag finds them
    const sign = /^[-+]/.exec(source[open + 2] ?? '')?.[0] ?? '';
    pushText(open, sign, tag !== '{{');
    rawBegin.lastIndex = open;
    const raw = rawBegin.exec(source);
    if (raw !== null) {
      advance(open + raw[0].length);
      const endRaw = new RegExp(`\\{%([-+]?)${white}*endraw${white}*(?=[-+]?%\\})`, 'g');
      endRaw.lastIndex = at;
      const end = endRaw.exec(source);
      if (end === null) throw new TemplateSyntaxError('Missing end of raw directive', line);
      pushText(end.index, end[1] ?? '', true);
      advance(end.index + end[0].length);
      advance(at + ending('%}'));
    } else if (tag === '{#') {
      const closed = /[-+]?#\}/g;
      closed.lastIndex = open + 2 + sign.length;
      const end = closed.exec(source);
      if (end === null) throw new TemplateSyntaxError('Missing end of comment tag', line);
      advance(end.index);
      advance(at + ending('#}'));
    } else {
      advance(open + 2 + sign.length);
      found.push({ type: 'begin', value: tag, line, start: open, end: at });
      const close = tag === '{{' ? '}}' : '%}';
      const unclosed: string[] = [];
      for (;;) {
        const length = unclosed.length === 0 ? ending(close) : 0;
        if (length > 0) {
          found.push({ type: 'end', value: tag, line, start: at, end: at + length });
          advance(at + length);
          break;
        }
        const token = tokenAt(source, { at, line });
        if (token === undefined) break;
        if (token.type === 'operator') balance(unclosed, token);
        if (token.type !== 'space') found.push(token);
        advance(token.end);
      }
    }
  }
  found.push({ type: 'end of template', value: '', line, start: at, end: at });
  return found;
}

function nextTag(source: string, from: number): number {
  for (let at = source.indexOf('{', from); at !== -1; at = source.indexOf('{', at + 1)) {
    const next = source[at + 1];
    if (next === '{' || next === '%' || next === '#') return at;
  }
  return -1;
}

/** The text before a tag, without what the tag removes. */
function stripped(
  text: string,
  { sign, strips, startsLine }: { sign: string; strips: boolean; startsLine: boolean },
): string {
  if (sign === '-') return trimEnd(text);
  if (sign === '+' || !strips) return text;
  const lineStart = text.lastIndexOf('\n') + 1;
  if (lineStart === 0 && !startsLine) return text;
  return trimEnd(text.slice(lineStart)) === '' ? text.slice(0, lineStart) : text;
}

function balance(open: string[], { value, line }: TokenOf<'operator', string> | Token): void {
  const operator = String(value);
  const closer = closers[operator];
  if (closer !== undefined) open.push(closer);
  if (operator !== '}' && operator !== ')' && operator !== ']') return;
  const expected = open.pop();
  if (expected === undefined) throw new TemplateSyntaxError(`unexpected '${operator}'`, line);
  if (expected !== operator)
    throw new TemplateSyntaxError(`unexpected '${operator}', expected '${expected}'`, line);
}

function tokenAt(
  source: string,
  { at, line }: { at: number; line: number },
): Token | TokenOf<'space', ''> | undefined {
  if (at >= source.length) return undefined;
  tokens.lastIndex = at;
  const groups = tokens.exec(source)?.groups;
  if (groups === undefined) {
    const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
    throw new TemplateSyntaxError(`unexpected char '${character}' at ${at}`, line);
  }
  const end = tokens.lastIndex;
  const place = { line, start: at, end };
  const { float, integer, name, string, operator } = groups;
  if (operator !== undefined) return { type: 'operator', value: operator, ...place };
  if (float !== undefined) return { type: 'float', value: Number(float.replaceAll('_', '')), ...place };
  if (integer !== undefined) return { type: 'integer', value: BigInt(integer.replaceAll('_', '')), ...place };
  if (string !== undefined) return { type: 'string', value: unescaped(string.slice(1, -1), line), ...place };
  if (name === undefined) return { type: 'space', value: '', ...place };
  if (!identifier.test(name)) throw new TemplateSyntaxError('Invalid character in identifier', line);
  return { type: 'name', value: name, ...place };
}

const escapes: Readonly<Record<string, string>> = {
  ...{ '\\': '\\', "'": "'", '"': '"', '\n': '' },
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
};
const escapeSequence =
  /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(N\{[^}]*\})|([xuUN])|(.)|$)/gs;

/** A literal's content with Python's escapes replaced. */
function unescaped(content: string, line: number): string {
  if (!content.includes('\\')) return content;
  return content.replace(escapeSequence, (whole, octal, hex, short, long, named, broken, one) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const digits = hex ?? short ?? long;
    const code = Number.parseInt(digits ?? '', 16);
    if (digits !== undefined && code <= 0x10ffff) return String.fromCodePoint(code);
    if (named !== undefined) throw new TemplateSyntaxError(`the escape \\${named} is not supported`, line);
    if (broken !== undefined || digits !== undefined)
      throw new TemplateSyntaxError(`the escape ${whole} is incomplete`, line);
    return escapes[one ?? ''] ?? whole;
  });
}
