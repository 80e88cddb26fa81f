import { randomUUID } from 'node:crypto';

/**
 * A JSON number that JavaScript would write differently: `20.0` as `20`, `1e-05` as `0.00001`, 12345678901234567890 as
 * 12345678901234567000. It keeps the spelling of its file, which `String` and `jsonText` give back. For arithmetic it is
 * the nearest double.
 */
export class ExactNumber extends Number {
  readonly text: string;

  constructor(text: string) {
    super(text);
    this.text = text;
  }

  override toString(): string {
    return this.text;
  }

  /** In `JSON.stringify` alone it is the nearest double. */
  toJSON(): string | number {
    if (!isWriting) return Number(this);
    marked++;
    return mark + this.text;
  }
}

/** In front of the text of an exact number while JSON is written or read. No data can contain it. */
const mark = `${randomUUID()}:`;
const markedText = new RegExp(`"${mark}([^"]*)"`, 'g');
let isWriting = false;
let marked = 0;

/** What `serialize` writes by `JSON.stringify`, with exact numbers as they were read. */
export function writeExactly<Text extends string | undefined>(serialize: () => Text): Text {
  isWriting = true;
  marked = 0;
  try {
    const text = serialize();
    return marked === 0 ? text : (text?.replace(markedText, '$1') as Text); // undefined stays undefined
  } finally {
    isWriting = false;
  }
}

/** The JSON of a value, with exact numbers as they were read. */
export const jsonText = (value: unknown, indent?: number): string =>
  writeExactly(() => JSON.stringify(value, undefined, indent));

/** Finds numbers that may need to be exact; it may also find such text in a string. */
const suspect = /(?:^|[:[,\s])-?(?:\d[\d.]{15}|\d+\.0+(?!\d)|\d+(?:\.\d+)?[eE])/;

/** The value of a JSON text, as JSON.parse gives it except for exact numbers. Throws what JSON.parse throws. */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const marking = suspect.test(text) ? markNumbers(text) : text;
  if (marking === text) return value;
  return JSON.parse(marking, (_, item: unknown) =>
    typeof item === 'string' && item.startsWith(mark) ? new ExactNumber(item.slice(mark.length)) : item,
  );
}

const stringOrNumber = /"|-?\d[\d.eE+-]*/g;

/** A valid JSON text in which the numbers that need to be exact are marked strings. */
function markNumbers(text: string): string {
  let marking = '';
  let done = 0;
  stringOrNumber.lastIndex = 0;
  for (let found = stringOrNumber.exec(text); found !== null; found = stringOrNumber.exec(text)) {
    const [token] = found;
    if (token === '"') stringOrNumber.lastIndex = endOfString(text, found.index);
    else if (needsExactness(token)) {
      marking += `${text.slice(done, found.index)}"${mark}${token}"`;
      done = found.index + token.length;
    }
  }
  return marking + text.slice(done);
}

/** The index after the quotation mark that closes the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

/**
 * Whether JavaScript would write the number as another, or with other digits or another exponent. A whole number with a
 * point or an exponent is a float elsewhere; without one it may be larger than any that a double can hold.
 */
function needsExactness(token: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) return false;
  const isFloat = /[.eE]/.test(token);
  if (isFloat && Number.isInteger(value)) return true;
  const isPlain = isFloat ? /^-?[\d.]{1,18}$/.test(token) : Number.isSafeInteger(value);
  return !isPlain && String(value) !== token;
}
