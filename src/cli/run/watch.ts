import { readdirSync, type Stats, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CodePaths, codePaths, type Dag, type Store } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { reportMistake } from '../report-mistake.ts';
import { counted } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { forPrograms } from '../terminal/terminal.ts';

/** What a run tells of the files that it depends on. */
export interface RunObserver {
  readonly onRead: (path: string) => void;
  readonly onDag: (dag: Dag, store: Store) => void;
}

/**
 * Runs again whenever a file of the pipeline, a local source or the code of a user's stage changes, until Ctrl-C. Mistakes
 * are printed and waited on, and so is a file that is still being written.
 */
export async function watchRuns<Options extends JsonOption & { readonly force?: readonly string[] }>(
  call: CommandCall<Options>,
  run: (call: CommandCall<Options>, observer: RunObserver) => Promise<ExitCode>,
): Promise<ExitCode> {
  const paths = new Set<string>();
  let code: CodePaths | undefined;
  let before: FileStates = new Map();
  // What is forced runs once; otherwise every change would force it.
  let next = call;
  for (;;) {
    const started = Date.now();
    const observer: RunObserver = {
      onRead: (path) => paths.add(path),
      onDag: (dag, store) => {
        code = codePaths(dag, store);
      },
    };
    const ended = await run(next, observer).catch((error: unknown) => reportMistake(error, call));
    if (isInterruption(ended)) return ended;
    // Without a pipeline file there is nothing to wait for.
    if (paths.size === 0) return ended;
    next = { ...call, options: { ...call.options, force: [] } };
    for (const path of code?.() ?? []) paths.add(path);
    const changed = await waitForChange({ call, paths: [...paths], before, started });
    if (typeof changed === 'number') return changed;
    before = changed;
  }
}

const isInterruption = (ended: ExitCode): boolean => ended >= exitCode.hungUp;

/** Absolute path -> what tells whether its content changed; empty where there is none. */
type FileStates = ReadonlyMap<string, string>;

const POLL_MILLISECONDS = 250;

/**
 * Waits until files differ from what they were before the run, and then until nobody writes to them any more. Polls, since
 * network drives and editors that replace files leave no other way that never misses a change. Returns their states, or the
 * exit code of an interruption.
 */
async function waitForChange({
  call: { options, context },
  paths,
  before,
  started,
}: {
  readonly call: CommandCall<JsonOption>;
  readonly paths: readonly string[];
  readonly before: FileStates;
  /** When the run began, in milliseconds: what it was the first to name may have changed since. */
  readonly started: number;
}): Promise<FileStates | ExitCode> {
  const { terminal, workingDirectory } = context;
  using interruption = Interruption.listen({ terminal, notice: () => {} });
  let known = statesOf(paths);
  const early = [...known].find(([path, state]) =>
    before.has(path) ? before.get(path) !== state : newestIn(path) >= started,
  );
  if (options.json) forPrograms(terminal).print(JSON.stringify({ type: 'waiting', paths: paths.length }));
  else if (early === undefined)
    terminal.print(terminal.colors.dim(`\nWatching ${counted(paths.length, 'path')}; Ctrl-C ends.`));
  let changed = early?.[0];
  for (;;) {
    const pause = await sleep(POLL_MILLISECONDS, true, { signal: interruption.signal }).catch(() => false);
    if (!pause) return interruption.code;
    const now = statesOf(paths);
    const other = paths.find((path) => now.get(path) !== known.get(path));
    known = now;
    if (other !== undefined) changed = other;
    else if (changed !== undefined) break;
  }
  const path = relative(workingDirectory, changed);
  if (options.json) forPrograms(terminal).print(JSON.stringify({ type: 'changed', path }));
  else terminal.print(terminal.colors.dim(`${safeLine(path)} changed\n`));
  return known;
}

const statesOf = (paths: readonly string[]): FileStates =>
  new Map(paths.map((path) => [path, stateOf(path)]));

/** The state of a file, or of everything in a folder. */
const stateOf = (path: string): string =>
  filesIn(path)
    .map(({ name, stat: { ino, size, mtimeMs } }) => `${name} ${ino} ${size} ${mtimeMs}`)
    .join('\n');

const newestIn = (path: string): number => Math.max(0, ...filesIn(path).map(({ stat }) => stat.mtimeMs));

function filesIn(path: string) {
  const stat = statIfAny(path);
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [{ name: path, stat }];
  const files: { readonly name: string; readonly stat: Stats }[] = [];
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop())
    for (const entry of entriesOf(folder)) {
      const name = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules' && entry.name !== '.git') folders.push(name);
        continue;
      }
      const found = statIfAny(name);
      if (found?.isFile()) files.push({ name, stat: found });
    }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Undefined too for what is no longer, or cannot be, there: a file's parent may have become a file. */
function statIfAny(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // It has just been removed.
    return [];
  }
}
