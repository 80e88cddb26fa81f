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
  const width = Math.max(...lines.map(({ label }) => stringWidth(label)));
  const hanging = indent + ' '.repeat(width + 2);
  return lines
    .map(({ label, text }) => {
      const body = wrapText(text, { columns: terminal.columns, indent: hanging });
      const padding = ' '.repeat(width - stringWidth(label) + 2);
      return `${indent}${terminal.colors.dim(label)}${padding}${body.slice(hanging.length)}`.trimEnd();
    })
    .join('\n');
}
