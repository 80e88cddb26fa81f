import { createColors } from 'picocolors';

/** The palette of picocolors; every function is the identity where colour is off. */
export type Colors = ReturnType<typeof createColors>;

/** Where the command line prints: the only way from retune to a person's eyes. */
export interface Terminal {
  /** Writes whole lines to standard output. */
  readonly print: (text: string) => void;
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
  return {
    print: (text) => void stdout.write(`${text}\n`),
    complain: (text) => void stderr.write(`${text}\n`),
    columns: Math.min(stdout.columns || 80, WIDEST),
    interactive: capable && env.CI === undefined,
    colors: createColors(wantsColor(env, capable)),
  };
}

function wantsColor(env: NodeJS.ProcessEnv, capable: boolean): boolean {
  if (env.NO_COLOR) return false;
  const forced = env.FORCE_COLOR;
  return forced === undefined ? capable : forced !== '0' && forced !== 'false';
}
