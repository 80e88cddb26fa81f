import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { createColors } from 'picocolors';
import { escapeUnsafe } from './safe-text.ts';

/** The palette of picocolors; every function is the identity where colour is off. */
type Colors = ReturnType<typeof createColors>;

/** Where the command line prints: the only way from tuneloom to a person's eyes. */
export interface Terminal {
  /** Writes whole lines to standard output. */
  readonly print: (text: string) => void;
  /** Writes a piece of a line to standard output. */
  readonly write: (text: string) => void;
  /** Writes whole lines to standard error. */
  readonly complain: (text: string) => void;
  readonly columns: number;
  /** True where standard output is a terminal that can be redrawn. */
  readonly interactive: boolean;
  readonly colors: Colors;
}

const WIDEST = 120;

/** Looks at the process's streams and at NO_COLOR, FORCE_COLOR and TERM. */
export function openTerminal(process: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>): Terminal {
  const { stdout, stderr, env } = process;
  const capable = stdout.isTTY === true && env.TERM !== 'dumb';
  const colored = wantsColor(env, capable);
  return {
    print: (text) => void stdout.write(`${printable(text, colored)}\n`),
    write: (text) => void stdout.write(printable(text, colored)),
    complain: (text) => void stderr.write(`${printable(text, colored)}\n`),
    columns: Math.min(stdout.columns || 80, WIDEST),
    interactive: capable && env.CI === undefined,
    colors: createColors(colored),
  };
}

function wantsColor(env: NodeJS.ProcessEnv, capable: boolean): boolean {
  if (env.NO_COLOR) return false;
  const forced = env.FORCE_COLOR;
  return forced === undefined ? capable : forced !== '0' && forced !== 'false';
}

/** What picocolors writes and is used here; nothing that hides, blinks or swaps. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const COLOR = /(\u001b\[(?:[0-4]|2[2-4]|[39][0-7]|39)m)/;

/** The last line of defence, whatever was forgotten before it: nothing that a terminal obeys but our own colours. */
const printable = (text: string, colored: boolean): string =>
  colored
    ? text
        .split(COLOR)
        .map((piece) => (COLOR.test(piece) ? piece : escapeUnsafe(piece)))
        .join('')
    : escapeUnsafe(text);

/** Whether somebody is there to answer. */
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
