import wrapAnsi from 'wrap-ansi';

/** Breaks text at words so that no line, its indent included, is wider than the terminal. Lines keep their own indentation. */
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
