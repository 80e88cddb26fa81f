import stringWidth from 'string-width';
import type { Terminal } from './terminal.ts';
import { wrapText } from './wrap-text.ts';

export interface LabelledLine {
  readonly label: string;
  /** Safe for a terminal; may have several lines. */
  readonly text: string;
}

/** Labels in one column and their texts in the next, wrapped to the terminal's width. */
export function labelledText(
  lines: readonly LabelledLine[],
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
