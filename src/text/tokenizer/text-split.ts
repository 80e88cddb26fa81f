import { isObject, type Json } from '../../core/index.ts';
import { SplitPreTokenizer } from './library-parts.ts';

/** How a tokenizer.json divides a text at what a pattern matches. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

const behaviors: readonly string[] = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
] satisfies readonly SplitBehavior[];

/** Throws an Error for an unknown name. */
export function behaviorOf(name: Json | undefined): SplitBehavior {
  if (typeof name === 'string' && behaviors.includes(name)) return name as SplitBehavior;
  throw new Error(`the split behavior \`${name}\` is not supported`);
}

/**
 * The `pattern` of a tokenizer.json, {"String": ...} or {"Regex": ...}, as a global regular expression. The library
 * translates Oniguruma's syntax.
 */
export function patternOf(pattern: Json): RegExp {
  const given = isObject(pattern) ? pattern : {};
  if (typeof given.String !== 'string' && typeof given.Regex !== 'string')
    throw new Error('a pattern is neither a text nor a regular expression');
  const config = { type: 'Split', pattern: given, behavior: 'Isolated', invert: true };
  const { pattern: translated } = new SplitPreTokenizer(config);
  if (translated === null) throw new Error('a pattern cannot be read');
  return translated;
}

interface Piece {
  readonly text: string;
  readonly isMatch: boolean;
}

/** The parts of a text, none of them empty. With `invert`, what the pattern does not match counts as the match. */
export function splitText(
  text: string,
  { pattern, behavior, invert = false }: { pattern: RegExp; behavior: SplitBehavior; invert?: boolean },
): readonly string[] {
  const pieces = piecesOf(text, pattern).map(({ text, isMatch }) => ({ text, isMatch: isMatch !== invert }));
  switch (behavior) {
    case 'Removed':
      return pieces.filter(({ isMatch }) => !isMatch).map(({ text }) => text);
    case 'Isolated':
      return pieces.map(({ text }) => text);
    case 'Contiguous':
      return joinPieces(pieces, (piece, before) => piece.isMatch === before.isMatch);
    case 'MergedWithPrevious':
      return joinPieces(pieces, (piece, before) => piece.isMatch && !before.isMatch);
    case 'MergedWithNext':
      // A match joins what follows unless that is a match, too.
      return joinPieces(pieces, (piece, before) => before.isMatch && !piece.isMatch);
    default:
      return behavior satisfies never;
  }
}

function piecesOf(text: string, pattern: RegExp): readonly Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  const add = (end: number, isMatch: boolean): void => {
    if (end > done) pieces.push({ text: text.slice(done, end), isMatch });
    done = end;
  };
  for (const match of text.matchAll(pattern)) {
    add(match.index, false);
    add(match.index + match[0].length, true);
  }
  add(text.length, false);
  return pieces;
}

function joinPieces(
  pieces: readonly Piece[],
  joins: (piece: Piece, before: Piece) => boolean,
): readonly string[] {
  const texts: string[] = [];
  for (const [index, piece] of pieces.entries()) {
    const before = pieces[index - 1];
    if (before !== undefined && joins(piece, before)) texts.push(`${texts.pop() ?? ''}${piece.text}`);
    else texts.push(piece.text);
  }
  return texts;
}
