import stringWidth from 'string-width';
import { shortLine, wrapText } from './wrap-text.ts';

export interface TableContent {
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** `right` for columns of numbers; `left` by default. */
  readonly align?: readonly ('left' | 'right')[];
  readonly indent?: string;
  /** The terminal's width; without it a table is as wide as its cells. */
  readonly columns?: number;
  /** By column: `wrap` breaks its cells between words where room is short, `cut` ends them in `…`. */
  readonly fold?: readonly ('wrap' | 'cut' | undefined)[];
  /** By column: those with the lowest number are left out first where room is short; without a number, never. */
  readonly importance?: readonly (number | undefined)[];
}

/** Columns separated by two spaces, without lines; the cells must already be safe for a terminal and may have several lines. */
export const renderTable = (content: TableContent): string => fitTable(content).text;

/** As renderTable, with the places of the columns that are left out. */
export function fitTable(content: TableContent): { readonly text: string; readonly left: readonly number[] } {
  const { head, rows, columns = Number.POSITIVE_INFINITY, indent = '  ', importance = [] } = content;
  const lines = head === undefined ? rows : [head, ...rows];
  const count = Math.max(0, ...lines.map((line) => line.length));
  const natural = Array.from({ length: count }, (_, at) =>
    Math.max(0, ...lines.flatMap((line) => (line[at] ?? '').split('\n').map((text) => stringWidth(text)))),
  );
  const shown = natural.map((_, at) => at);
  const left: number[] = [];
  for (;;) {
    const room = columns - indent.length - GAP * (shown.length - 1);
    const widths = foldedWidths(shown, { natural, room, fold: content.fold ?? [] });
    const [next] = shown
      .filter((at) => importance[at] !== undefined)
      .sort((a, b) => (importance[a] ?? 0) - (importance[b] ?? 0) || b - a);
    if (sum(widths) <= room || next === undefined) {
      const text = lines
        .flatMap((line) => lineOf(line, { content, shown, widths, indent, isHead: line === head }))
        .join('\n');
      return { text, left: left.sort((a, b) => a - b) };
    }
    shown.splice(shown.indexOf(next), 1);
    left.push(next);
  }
}

const GAP = 2;
/** A folded column is not narrower than this. */
const LEAST = { wrap: 24, cut: 12 } as const;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The widths of the columns: their cells', or less where a column that can be folded is in the way; the widest gives first. */
function foldedWidths(
  shown: readonly number[],
  { natural, room, fold }: { natural: readonly number[]; room: number; fold: TableContent['fold'] & object },
): readonly number[] {
  const widths = shown.map((at) => natural[at] ?? 0);
  const least = shown.map((at, index) => {
    const way = fold[at];
    return way === undefined ? (widths[index] ?? 0) : Math.min(widths[index] ?? 0, LEAST[way]);
  });
  for (let over = sum(widths) - room; over > 0; over--) {
    const slack = widths.map((width, index) => width - (least[index] ?? 0));
    const most = Math.max(...slack);
    if (most <= 0) break;
    const at = slack.indexOf(most);
    widths[at] = (widths[at] ?? 0) - 1;
  }
  return widths;
}

function lineOf(
  line: readonly string[],
  {
    content,
    shown,
    widths,
    indent,
    isHead,
  }: {
    content: TableContent;
    shown: readonly number[];
    widths: readonly number[];
    indent: string;
    isHead: boolean;
  },
): readonly string[] {
  const cells = shown.map((at, index) => {
    const [text, width] = [line[at] ?? '', widths[index] ?? 0];
    return text.split('\n').flatMap((part) => {
      if (stringWidth(part) <= width) return [part];
      return content.fold?.[at] === 'wrap'
        ? wrapText(part, { columns: width }).split('\n')
        : [shortLine(part, width)];
    });
  });
  const height = Math.max(1, ...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, row) => {
    const padded = cells.map((cell, index) => {
      // Titles of several lines end on the same one.
      const text = cell[isHead ? row - height + cell.length : row] ?? '';
      const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(text)));
      return content.align?.[shown[index] ?? 0] === 'right' ? `${space}${text}` : `${text}${space}`;
    });
    return `${indent}${padded.join(' '.repeat(GAP))}`.trimEnd();
  });
}
