import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { createColors } from 'picocolors';
import { escapeUnsafe } from './safe-text.ts';
import { wrapText } from './wrap-text.ts';

/** The palette of picocolors; every function is the identity if color is off. */
export type Colors = ReturnType<typeof createColors>;

/** Where the command line prints; nothing else in tuneloom does. */
export interface Terminal {
  /** Writes whole lines to standard output. */
  readonly print: (text: string) => void;
  /** Writes part of a line to standard output. */
  readonly write: (text: string) => void;
  /** Writes whole lines to standard error. */
  readonly complain: (text: string) => void;
  /** The width for text: that of the terminal, or less, since long lines are hard to read. */
  readonly columns: number;
  /** The whole width, for tables. */
  readonly width: number;
  /** The height, to which a list is cut that would scroll away; absent where nothing scrolls. */
  readonly rows?: number;
  /** True if standard output is a terminal that can be redrawn. */
  readonly interactive: boolean;
  readonly colors: Colors;
}

/** The terminal of the process's streams, with NO_COLOR, FORCE_COLOR, TERM and CI taken into account. */
export function openTerminal(process: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>): Terminal {
  const { stdout, stderr, env } = process;
  const capable = stdout.isTTY === true && env.TERM !== 'dumb';
  const colored = wantsColor(env, capable);
  const width = stdout.columns || 80;
  const lines = (text: string, stream: NodeJS.WriteStream) =>
    `${printable(stream.isTTY === true ? fitted(text, stream.columns || 80) : text, colored)}\n`;
  return {
    print: (text) => void stdout.write(lines(text, stdout)),
    write: (text) => void stdout.write(printable(text, colored)),
    complain: (text) => void stderr.write(lines(text, stderr)),
    columns: Math.min(width, WIDEST),
    width,
    ...(stdout.isTTY === true && stdout.rows > 0 && { rows: stdout.rows }),
    interactive: capable && env.CI === undefined,
    colors: createColors(colored),
  };
}

const WIDEST = 120;

/** Wraps the lines that nothing has wrapped before, since a terminal would break them inside a word. */
const fitted = (text: string, columns: number): string => wrapText(text, { columns, hanging: '  ' });

/** The same terminal for JSON and other forms that programs read: no line of theirs may be broken. */
export const forPrograms = (terminal: Terminal): Terminal => ({
  ...terminal,
  print: (text) => terminal.write(`${text}\n`),
});

function wantsColor(env: NodeJS.ProcessEnv, capable: boolean): boolean {
  if (env.NO_COLOR) return false;
  const forced = env.FORCE_COLOR;
  return forced === undefined ? capable : forced !== '0' && forced !== 'false';
}

/** The codes of picocolors that are used here; none that hides, blinks or swaps colors. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches control characters.
const COLOR = /(\u001b\[(?:[0-4]|2[2-4]|[39][0-7]|39)m)/;

/** The last line of defense: lets nothing through that a terminal obeys, except our own colors. */
const printable = (text: string, colored: boolean): string =>
  colored
    ? text
        .split(COLOR)
        .map((piece) => (COLOR.test(piece) ? piece : escapeUnsafe(piece)))
        .join('')
    : escapeUnsafe(text);

/** Whether there is someone to answer a question. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true;

/** Asks a yes-or-no question; no answer means no. */
export async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
