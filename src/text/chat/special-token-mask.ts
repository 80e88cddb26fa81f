import { isList, isObject, type Json } from '../../core/index.ts';

/** Private-use characters. A conversation borrows some that do not occur in it. */
const firstPrivate = 0xe000;
const lastPrivate = 0xf8ff;

/** Replaces one character in each text that looks like a special token, and puts it back. */
export interface SpecialTokenMask {
  readonly mask: <Value extends Json>(value: Value) => Value;
  readonly unmask: (text: string) => string;
}

/** Masks with characters that do not occur in `text`. `specialTokens` are sorted, the longest first. */
export function maskSpecialTokens(specialTokens: readonly string[], text: string): SpecialTokenMask {
  const free = freeCharacters(text);
  const take = (): string => {
    const { value } = free.next();
    if (value === undefined) throw new Error('One conversation contains every private-use character');
    return value;
  };
  // Special tokens begin with few different characters: `<` or `[`.
  const masks = new Map([...new Set(specialTokens.map((token) => token.charAt(0)))].map((a) => [a, take()]));
  const maskText = (text: string): string => {
    let masked = text;
    for (const token of specialTokens)
      masked = masked.replaceAll(token, () => (masks.get(token.charAt(0)) ?? '') + token.slice(1));
    return masked;
  };
  return {
    // Texts change and nothing else does.
    mask: (value) => mapTexts(value, maskText) as typeof value,
    unmask: (text) =>
      [...masks].reduce((whole, [original, mask]) => whole.replaceAll(mask, () => original), text),
  };
}

function* freeCharacters(text: string): Generator<string> {
  for (let code = firstPrivate; code <= lastPrivate; code++) {
    const character = String.fromCharCode(code);
    if (!text.includes(character)) yield character;
  }
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (isList(value)) return value.map((item) => mapTexts(item, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [change(name), mapTexts(item, change)]),
  );
}
