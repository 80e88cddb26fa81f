import wrapAnsi from 'wrap-ansi';

/** Breaks text at words so that no line, its indent included, is wider than the terminal. */
export function wrapText(
  text: string,
  { columns, indent = '' }: { columns: number; indent?: string },
): string {
  return wrapAnsi(text, Math.max(20, columns - indent.length), { hard: true, trim: false })
    .split('\n')
    .map((line) => `${indent}${line}`.trimEnd())
    .join('\n');
}
