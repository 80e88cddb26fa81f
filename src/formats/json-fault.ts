import { type Json, numberIn, parseExactly, UserError } from '../core/index.ts';

const maximumDepth = 64;

/**
 * Refuses values nested so deeply that writing or comparing them could exhaust the stack, and numbers such as 1e999,
 * which are valid JSON but parse as infinity.
 */
export function checkJson({ value, place }: { value: Json; place: string }): void {
  const fault = faultIn(value, maximumDepth);
  if (fault === undefined) return;
  throw new UserError(
    fault === 'deep'
      ? {
          code: 'nested-too-deeply',
          message: `${place}: the value is nested more than ${maximumDepth} levels deep`,
        }
      : {
          code: 'number-too-large',
          message: `${place}: a number is larger than a 64-bit float can be`,
          help: 'quote it if it is meant as text',
        },
  );
}

function faultIn(value: Json, levels: number): 'deep' | 'infinite' | undefined {
  const number = numberIn(value);
  if (number !== undefined) return Number.isFinite(number) ? undefined : 'infinite';
  if (value === null || typeof value !== 'object') return undefined;
  if (levels === 0) return 'deep';
  for (const child of Object.values(value)) {
    const fault = faultIn(child, levels - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The value of a JSON text; `exact` keeps numbers as the text spells them where that matters. Throws a UserError that names file, line and column if it is not JSON. */
export function parseJson(
  text: string,
  {
    path,
    firstLine = 1,
    code = 'bad-json',
    exact = false,
  }: { path: string; firstLine?: number; code?: string; exact?: boolean },
): Json {
  try {
    return exact ? (parseExactly(text) as Json) : JSON.parse(text); // of a JSON text
  } catch (cause) {
    const { line, column, reason, help } = jsonFault(cause, text);
    const message = `${path}:${firstLine + line - 1}:${column}: not JSON: ${reason}`;
    throw new UserError({ code, message, ...(help !== undefined && { help }), cause });
  }
}

/** Where and why JSON.parse threw an error for `text`; line and column count from 1. */
export function jsonFault(
  cause: unknown,
  text: string,
): { readonly line: number; readonly column: number; readonly reason: string; readonly help?: string } {
  const message = cause instanceof Error ? cause.message : String(cause);
  const offset = faultOffset(message, text);
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  return {
    line,
    column,
    ...(secondValue(text, offset) ?? { reason: commonReason(text, offset) ?? reasonOf(message) }),
  };
}

/** Where a whole value ends and another follows: rows that are neither a list nor lines. */
function secondValue(text: string, offset: number): { reason: string; help: string } | undefined {
  const found = text[offset] ?? '';
  if (!',{['.includes(found) || !isJson(text.slice(0, offset))) return undefined;
  const list = 'a list of values begins with `[` and ends with `]`, with commas between them';
  return found === ','
    ? {
        reason: 'there is a comma after the value',
        help: `${list}; JSONL has one value on each line, without commas`,
      }
    : {
        reason: 'another value begins here',
        help: `${list}; JSONL has each value on one line: \`jq -c . FILE > NEW\` writes it so`,
      };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The most common mistakes, which the parser describes only by what it expected. */
function commonReason(text: string, offset: number): string | undefined {
  const found = text[offset];
  if (text.slice(offset).trim() === '') return 'it ends too early';
  const closes = found === '}' || found === ']';
  if (closes && text.slice(0, offset).trimEnd().endsWith(',')) return `there is a comma before \`${found}\``;
  if (found === "'") return 'text needs double quotes, not single ones';
  const [name] = /^(?:NaN|Infinity|None|True|False)/.exec(text.slice(offset, offset + 8)) ?? [];
  return name && `\`${name}\` is Python's; ${jsonOf[name]}`;
}

const jsonOf: Readonly<Record<string, string>> = {
  NaN: 'write null for a missing number',
  Infinity: 'JSON has only finite numbers',
  None: 'write null',
  True: 'write true',
  False: 'write false',
};

function faultOffset(message: string, text: string): number {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  return unexpectedToken.test(message) ? firstUnexpectedToken(text) : text.length;
}

const unexpectedToken = /^Unexpected token/;

/** Some Node releases name the token but not its offset: it ends the shortest prefix that fails in the same way. */
function firstUnexpectedToken(text: string): number {
  let accepted = 0;
  let refused = text.length;
  while (refused - accepted > 1) {
    const middle = Math.floor((accepted + refused) / 2);
    if (hasUnexpectedToken(text.slice(0, middle))) refused = middle;
    else accepted = middle;
  }
  return refused - 1;
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return error instanceof Error && unexpectedToken.test(error.message);
  }
}

const reasonOf = (message: string): string =>
  message
    .replace(/,? (?:\.\.\.)?"[\s\S]*is not valid JSON$/, '')
    .replace(/ (?:in JSON )?at position \d+(?: \(line \d+ column \d+\))?$/, '')
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase());
