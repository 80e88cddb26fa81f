import { isObject, type Json, type JsonObject } from '../../core/index.ts';

/** An entry of a tokenizer.json's `added_tokens`: text that is found before a text is split into words. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  /** Whether it is found in the normalized text, not in the given one. */
  readonly normalized: boolean;
  /** Whether no letter, digit or underscore may be next to it. */
  readonly singleWord: boolean;
  /** Whether it takes in the white space before it. */
  readonly lstrip: boolean;
  /** Whether it takes in the white space after it. */
  readonly rstrip: boolean;
}

export function addedTokensOf(json: JsonObject): readonly AddedToken[] {
  if (!Array.isArray(json.added_tokens)) return [];
  return json.added_tokens.flatMap((token: Json) => {
    if (!isObject(token) || typeof token.content !== 'string' || typeof token.id !== 'number') return [];
    const special = token.special === true;
    return [
      {
        id: token.id,
        content: token.content,
        special,
        normalized: typeof token.normalized === 'boolean' ? token.normalized : !special,
        singleWord: token.single_word === true,
        lstrip: token.lstrip === true,
        rstrip: token.rstrip === true,
      },
    ];
  });
}

/** A part of a text: the id of an added token, or text between them with its position. */
export type TextPart = { readonly id: number } | { readonly text: string; readonly start: number };

const spaceAtEnd = /\p{White_Space}*$/u;
const spaceAtStart = /^\p{White_Space}*/u;
/** As in Rust's regular expressions. */
const wordCharacter = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const wordAtEnd = new RegExp(`${wordCharacter}$`, 'u');
const wordAtStart = new RegExp(`^${wordCharacter}`, 'u');

/**
 * A function that splits a text at added tokens, at each place at the longest one, as the tokenizers library does. The
 * name of a special token is passed over: it stays text.
 */
export function addedTokenSplitter(tokens: readonly AddedToken[]): (text: string) => readonly TextPart[] {
  if (tokens.every(({ special }) => special)) return (text) => (text === '' ? [] : [{ text, start: 0 }]);
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const names = [...byContent.keys()].filter((name) => name !== '').sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'),
    'gu',
  );
  return (text) => {
    const parts: TextPart[] = [];
    let done = 0;
    const addText = (end: number): void => {
      if (end > done) parts.push({ text: text.slice(done, end), start: done });
    };
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0]);
      if (token === undefined || token.special) continue;
      const end = match.index + match[0].length;
      const before = text.slice(Math.max(0, match.index - 2), match.index);
      const isPartOfWord = wordAtEnd.test(before) || wordAtStart.test(text.slice(end, end + 2));
      if (token.singleWord && isPartOfWord) continue;
      // White space may already belong to the token before.
      const start = token.lstrip
        ? Math.max(done, match.index - endSpace(text.slice(done, match.index)))
        : match.index;
      addText(start);
      parts.push({ id: token.id });
      done = token.rstrip ? end + startSpace(text.slice(end)) : end;
    }
    addText(text.length);
    return parts;
  };
}

const endSpace = (text: string): number => spaceAtEnd.exec(text)?.[0].length ?? 0;
const startSpace = (text: string): number => spaceAtStart.exec(text)?.[0].length ?? 0;

/** The parts of texts around special tokens, without the white space that those take in. */
export function trimAround(
  text: string,
  { before, after }: { readonly before: AddedToken | undefined; readonly after: AddedToken | undefined },
): { readonly text: string; readonly cut: number } {
  const cut = before?.rstrip ? startSpace(text) : 0;
  const rest = text.slice(cut);
  return { text: after?.lstrip ? rest.slice(0, rest.length - endSpace(rest)) : rest, cut };
}
