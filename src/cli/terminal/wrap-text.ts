import stringWidth from 'string-width';

const NARROWEST = 20;

/**
 * Breaks text between words so that no line, with its indent, is wider than the terminal. Lines keep their own
 * indentation, and those that continue a line have `hanging` besides.
 */
export function wrapText(
  text: string,
  { columns, indent = '', hanging = '' }: { columns: number; indent?: string; hanging?: string },
): string {
  const width = Math.max(NARROWEST, columns - stringWidth(indent));
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, { width, hanging }))
    .map((line) => `${indent}${line}`.trimEnd())
    .join('\n');
}

function wrapLine(line: string, { width, hanging }: { width: number; hanging: string }): readonly string[] {
  if (stringWidth(line) <= width) return [line];
  const wanted = hanging === '' ? '' : `${/^ */.exec(line)?.[0] ?? ''}${hanging}`;
  const before = wanted.length > width - NARROWEST ? '' : wanted; // a deep indentation leaves no room beside it
  const lines: string[] = [];
  let current = '';
  let column = 0;
  for (const [, space = '', word = ''] of line.matchAll(/(\s*)(\S+)/g)) {
    for (const [index, piece] of piecesOf(word, width - before.length).entries()) {
      const gap = index === 0 ? space : '';
      const size = stringWidth(gap + piece);
      const isFirst = current.trim() === '' && lines.length === 0;
      if (column + size <= width || isFirst) {
        current += gap + piece;
        column += size;
      } else {
        lines.push(current);
        current = before + piece;
        column = stringWidth(current);
      }
    }
  }
  return [...lines, current];
}

/** A word; of one that no line can hold, such as a path, pieces that a line can hold, which end after a mark if they can. */
function piecesOf(word: string, width: number): readonly string[] {
  if (stringWidth(word) <= width) return [word];
  const pieces = [''];
  const add = (part: string): void => {
    const last = pieces[pieces.length - 1] ?? '';
    if (stringWidth(last + part) <= width) pieces[pieces.length - 1] = last + part;
    else pieces.push(part);
  };
  for (const [part] of word.matchAll(/[^/\\,;:=&?._-]*[/\\,;:=&?._-]?/g)) {
    if (stringWidth(part) <= width) add(part);
    else for (const { segment } of new Intl.Segmenter().segment(part)) add(segment);
  }
  return pieces.filter((piece) => piece !== '');
}

/** The beginning of a line, to its last word that fits beside the `…` for the rest. A word that fills it alone is cut. */
export function shortLine(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let kept = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    width += stringWidth(segment);
    if (width >= columns) break;
    kept += segment;
  }
  const atWord = /^(.*\S)\s+\S*$/s.exec(kept)?.[1];
  const isWhole = line[kept.length] === ' ';
  return `${isWhole || atWord === undefined || stringWidth(atWord) < columns / 2 ? kept.trimEnd() : atWord}…`;
}

/** Wraps a text that arrives in pieces: a word is written once it is complete and known to fit. */
export class StreamWrapper {
  readonly #write: (text: string) => void;
  readonly #columns: number;
  #column = 0;
  /** White space and a word that may go on. */
  #pending = '';

  constructor({ write, columns }: { write: (text: string) => void; columns: number }) {
    this.#write = write;
    this.#columns = columns;
  }

  push(piece: string): void {
    const parts = `${this.#pending}${piece}`.match(/\n|[^\S\n]*\S+|[^\S\n]+/g) ?? [];
    this.#pending = '';
    for (const [index, part] of parts.entries()) {
      if (index === parts.length - 1 && part !== '\n') this.#pending = part;
      else this.#put(part);
    }
    // A word that no line holds is not waited for.
    if (stringWidth(this.#pending) >= this.#columns) this.end();
  }

  /** Writes what is left. */
  end(): void {
    this.#put(this.#pending);
    this.#pending = '';
  }

  #put(part: string): void {
    if (part === '\n') {
      this.#write('\n');
      this.#column = 0;
      return;
    }
    const width = stringWidth(part);
    if (this.#column > 0 && this.#column + width > this.#columns) {
      const word = part.trimStart();
      this.#write(`\n${word}`);
      this.#column = stringWidth(word);
    } else {
      this.#write(part);
      this.#column += width;
    }
  }
}
