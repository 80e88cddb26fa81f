import { PythonError } from './python-error.ts';

/** Of one text, in UTF-16 units. A longer one could not be read back as a line. */
const mostCharacters = 16 * 1024 * 1024;
/** Of one list. */
const mostItems = 1_000_000;
/** Of all texts and lists that one rendering makes. */
const mostTogether = 512 * 1024 * 1024;
/** Python refuses to write longer numbers. */
const mostBits = 14_300n;

let left = mostTogether;

/** Renderings are synchronous, so one account is enough. */
export function startGrowth(): void {
  left = mostTogether;
}

/** Throws if a text of `length` is more than a template may make. Called before it is made. */
export function growText(length: number): void {
  if (length > mostCharacters) throw tooMuch(`a text of ${length} characters`);
  grow(length);
}

export function growList(length: number): void {
  if (length > mostItems) throw tooMuch(`a list of ${length} items`);
  grow(length);
}

/** Throws if a whole number of about `bits` is more than a template may make. */
export function growNumber(bits: bigint): void {
  if (bits > mostBits) throw tooMuch('a number of more than 4300 digits');
}

function grow(size: number): void {
  left -= size;
  if (left < 0) throw tooMuch('too much text');
}

const tooMuch = (what: string): PythonError => new PythonError('Limit', `it makes ${what}`);
