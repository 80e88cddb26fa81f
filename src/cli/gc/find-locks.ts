import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { locateStore, type Store } from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';

export interface FoundLocks {
  /** Absolute paths. */
  readonly files: readonly string[];
  /** Every key and digest that they name, as 64 hexadecimal digits. */
  readonly named: ReadonlySet<string>;
}

/** How far below a project's folder its pipelines are looked for. */
const mostLevels = 8;

/** The locks of the project around the working directory, or around the named file, and of the one that holds the store. */
export function findLocks(
  store: Store,
  {
    file = 'pipeline.yaml',
    context,
  }: { readonly file?: string | undefined; readonly context: CommandContext },
): FoundLocks {
  const { workingDirectory } = context;
  const project = dirname(locateStore({ pipelineFile: file, workingDirectory }));
  const files = [...new Set([project, dirname(store.root)].flatMap((folder) => locksBelow(folder, 0)))];
  const named = files.flatMap((path) => readFileSync(path, 'utf8').match(/\b[0-9a-f]{64}\b/g) ?? []);
  return { files, named: new Set(named) };
}

function locksBelow(folder: string, level: number): readonly string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return /\.lock\.ya?ml$/i.test(entry.name) ? [path] : [];
    const isOthers = entry.name.startsWith('.') || entry.name === 'node_modules' || isStore(path);
    return entry.isDirectory() && !isOthers && level < mostLevels ? locksBelow(path, level + 1) : [];
  });
}

const isStore = (folder: string): boolean =>
  ['blobs', 'actions'].every((name) => entriesOf(folder).some((entry) => entry.name === name));

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // a folder that only others may read holds no pipeline of this person's
  }
}
