import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { execa } from 'execa';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));

/** `script` of util-linux makes a terminal; without it there is none. */
export const withoutTerminal = spawnSync('script', ['--version']).error !== undefined;
export const titled = (title: string): string =>
  withoutTerminal ? `${title} (no \`script\` here to make a terminal)` : title;

/** What a person sees once a command has ended. */
export interface Screen {
  readonly lines: readonly string[];
  /** Lines that the terminal itself had to break, because they were wider than it is. */
  readonly broken: readonly string[];
}

/** Runs `tuneloom` in a terminal of a given width and reads its whole screen, with what has scrolled away. */
export async function screenOf(
  folder: string,
  { words, columns, input = '' }: { words: string; columns: number; input?: string },
): Promise<Screen> {
  const command = `stty cols ${columns} rows 40 -echo; '${process.execPath}' '${tuneloomScript}' ${words}`;
  const { stdout } = await execa('script', ['-qec', command, join(folder, 'typescript')], {
    cwd: folder,
    env: { PATH: process.env.PATH, TERM: 'xterm', HOME: folder, TZ: 'UTC' },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    input,
  });
  return await emulate(stdout, columns);
}

/** Interprets control sequences as xterm does. */
async function emulate(bytes: string, columns: number): Promise<Screen> {
  const terminal = new xterm.Terminal({ cols: columns, rows: 40, scrollback: 5000, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(bytes, resolve));
  const buffer = terminal.buffer.active;
  const lines: string[] = [];
  const broken: string[] = [];
  for (let index = 0; index < buffer.length; index++) {
    const line = buffer.getLine(index);
    const text = line?.translateToString(true) ?? '';
    if (line?.isWrapped) broken.push(`${lines.at(-1)}⏎${text}`);
    lines.push(text.trimEnd());
  }
  while (lines.at(-1) === '') lines.pop();
  return { lines, broken };
}
