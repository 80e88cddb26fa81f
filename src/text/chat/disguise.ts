import type { Json } from '../../json.ts';
import { isObject } from '../parse-record.ts';

/** Characters for private use, of which some are lent to a conversation in which they do not stand. */
const firstPrivate = 0xe000;
const lastPrivate = 0xf8ff;

/** Makes text that looks like a special token look like none, one character in each, and undoes it again. */
export interface Disguise {
  readonly hide: (value: Json) => Json;
  readonly reveal: (text: string) => string;
  /** Characters that stand nowhere in the conversation or its template. */
  readonly spare: readonly [string, string];
}

/** A disguise for what is written with characters that stand in none of `texts`. */
export function disguise(specialTokens: readonly string[], texts: readonly string[]): Disguise {
  const free = freeCharacters(texts.join('\n'));
  const take = (): string => {
    const { value } = free.next();
    if (value === undefined) throw new Error('Every character for private use stands in one conversation');
    return value;
  };
  const spare = [take(), take()] as const;
  // Special tokens begin with few different characters: `<` or `[`.
  const masks = new Map([...new Set(specialTokens.map((token) => token.charAt(0)))].map((a) => [a, take()]));
  const originals = new Map([...masks].map(([original, mask]) => [mask, original]));
  const maskText = (text: string): string => {
    let masked = text;
    for (const token of specialTokens)
      masked = masked.replaceAll(token, () => (masks.get(token.charAt(0)) ?? '') + token.slice(1));
    return masked;
  };
  return {
    spare,
    hide: (value) => mapTexts(value, maskText),
    reveal: (text) => [...text].map((character) => originals.get(character) ?? character).join(''),
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
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [change(name), mapTexts(item, change)]),
  );
}
