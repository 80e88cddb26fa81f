/** A text that diagnostics can point into. */
export interface TextFile {
  /** Absolute. */
  readonly path: string;
  /** As a user would type it: relative to the working directory where that is shorter. */
  readonly displayPath: string;
  readonly text: string;
  /** Set where the text is an argument of the command line, which is made to look like a file. */
  readonly isCommandLine?: true;
}

interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  /** Offsets of the line's text, without its line break. */
  readonly lineStart: number;
  readonly lineEnd: number;
}

/** The line and column of an offset in a file. */
export function positionOf(file: TextFile, offset: number): Position {
  const starts = lineStartsOf(file);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const lineStart = starts[low] ?? 0;
  const next = starts[low + 1];
  const lineEnd = next === undefined ? file.text.length : next - (file.text[next - 2] === '\r' ? 2 : 1);
  return { line: low + 1, column: offset - lineStart + 1, lineStart, lineEnd };
}

const lineStarts = new WeakMap<TextFile, readonly number[]>();

function lineStartsOf(file: TextFile): readonly number[] {
  const known = lineStarts.get(file);
  if (known !== undefined) return known;
  const starts = [0];
  for (let at = file.text.indexOf('\n'); at >= 0; at = file.text.indexOf('\n', at + 1)) starts.push(at + 1);
  lineStarts.set(file, starts);
  return starts;
}
