import stringWidth from 'string-width';
import { safeText } from './safe-text.ts';
import type { Terminal } from './terminal.ts';
import { wrapText } from './wrap-text.ts';

export { renderTable } from './table.ts';
export { wrapText } from './wrap-text.ts';

export interface LabeledLine {
  readonly label: string;
  /** Safe for a terminal; may have several lines. */
  readonly text: string;
}

/** Labels wider than this have their text below them. */
const WIDEST_LABEL = 28;

/** Labels in one column and their texts in the next, wrapped to the terminal's width. */
export function labeledText(
  lines: readonly LabeledLine[],
  { terminal, indent = '  ' }: { terminal: Pick<Terminal, 'columns' | 'colors'>; indent?: string },
): string {
  const widths = lines.map(({ label }) => stringWidth(label));
  const widest = Math.max(WIDEST_LABEL, Math.floor(terminal.columns * WIDEST_SHARE));
  const width = Math.max(0, ...widths.filter((each) => each <= widest)) + 2;
  const hanging = ' '.repeat(indent.length + width);
  return lines
    .map(({ label, text }, index) => {
      const wrapped = wrapText(text, { columns: terminal.columns - hanging.length }).split('\n');
      const gap = width - (widths[index] ?? 0);
      const head = `${indent}${terminal.colors.dim(label)}`;
      const [first = '', ...rest] = wrapped;
      const block =
        gap < 2
          ? [head, ...wrapped.map((line) => hanging + line)]
          : [`${head}${' '.repeat(gap)}${first}`, ...rest.map((line) => hanging + line)];
      return block.map((line) => line.trimEnd()).join('\n');
    })
    .join('\n');
}

const WIDEST_SHARE = 0.4;

/** The beginning of a text from data or a model, made safe. */
export function excerpt(text: string, mostCharacters: number): string {
  const safe = safeText(text.trim()) || '(nothing)';
  if (safe.length <= mostCharacters) return safe;
  const kept = safe.slice(0, mostCharacters - 1);
  // At a word's end, if that loses little.
  const atWord = /^(.*\S)\s+\S*$/s.exec(kept)?.[1] ?? kept;
  return `${/\s/.test(safe[kept.length] ?? '') || atWord.length < kept.length * 0.8 ? kept.trimEnd() : atWord}…`;
}
