import Table from 'cli-table3';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { safeText } from './safe-text.ts';
import type { Terminal } from './terminal.ts';

interface TableContent {
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** `right` for columns of numbers; `left` by default. */
  readonly align?: readonly ('left' | 'right')[];
  readonly indent?: string;
}

const NO_LINES = Object.fromEntries(
  [
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ]
    .flat()
    .map((place) => [place, '']),
);

/** Columns separated by two spaces, without lines; the cells must already be safe for a terminal. */
export function renderTable({ head, rows, align = [], indent = '  ' }: TableContent): string {
  const table = new Table({
    chars: { ...NO_LINES, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: [...align],
  });
  if (head) table.push([...head]);
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => `${indent}${line}`.trimEnd())
    .join('\n');
}

export interface LabeledLine {
  readonly label: string;
  /** Safe for a terminal; may have several lines. */
  readonly text: string;
}

/** Labels in one column and their texts in the next, wrapped to the terminal's width. */
export function labeledText(
  lines: readonly LabeledLine[],
  { terminal, indent = '  ' }: { terminal: Pick<Terminal, 'columns' | 'colors'>; indent?: string },
): string {
  const width = Math.max(...lines.map(({ label }) => stringWidth(label))) + 2;
  const hanging = ' '.repeat(indent.length + width);
  return lines
    .map(({ label, text }) => {
      const [first = '', ...rest] = wrapText(text, { columns: terminal.columns - hanging.length }).split(
        '\n',
      );
      const gap = ' '.repeat(width - stringWidth(label));
      const head = `${indent}${terminal.colors.dim(label)}${gap}${first}`;
      return [head, ...rest.map((line) => hanging + line)].map((line) => line.trimEnd()).join('\n');
    })
    .join('\n');
}

/** Breaks text at words so that no line, with its indent, is wider than the terminal. Lines keep their indentation. */
export function wrapText(
  text: string,
  { columns, indent = '' }: { columns: number; indent?: string },
): string {
  const width = Math.max(20, columns - indent.length);
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, width))
    .map((line) => `${indent}${line}`.trimEnd())
    .join('\n');
}

function wrapLine(line: string, width: number): readonly string[] {
  const [first = '', ...more] = wrapAnsi(line, width, { hard: true, trim: false }).split('\n');
  return [first, ...more.map((rest) => rest.trimStart())];
}

/** The beginning of a text from data or a model, made safe. */
export function excerpt(text: string, mostCharacters: number): string {
  const safe = safeText(text.trim()) || '(nothing)';
  return safe.length > mostCharacters ? `${safe.slice(0, mostCharacters - 1)}…` : safe;
}
