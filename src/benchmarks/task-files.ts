import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { didYouMean, UserError } from '../core/index.ts';

interface FoundFile {
  readonly path: string;
  /** Its path below the folder, with `/`; empty if the file itself was given. */
  readonly name: string;
}

/** The wanted files of a folder, sorted by their names below it (by code unit); or the one file that was given. */
export async function findFiles(
  path: string,
  { isWanted, expected }: { readonly isWanted: (name: string) => boolean; readonly expected: string },
): Promise<readonly FoundFile[]> {
  const found = await stat(path).catch(unreadable(path));
  if (found.isFile()) return [{ path, name: '' }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(unreadable(path));
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter(isWanted)
    .sort((a, b) => (a < b ? -1 : 1));
  if (names.length > 0) return names.map((name) => ({ path: join(path, name), name }));
  throw new UserError({
    code: 'no-benchmark-files',
    message: `${path} holds no file of that benchmark and split`,
    help: `it should hold ${expected}`,
  });
}

const unreadable =
  (path: string) =>
  (cause: unknown): never => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const reason =
      code === 'ENOENT' ? 'there is no such file or folder' : `it cannot be read (${String(code)})`;
    throw new UserError({ code: 'no-file', message: `${path}: ${reason}`, cause });
  };

/** A file's name without folder and extension. */
export const stemOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1).replace(/\..*$/, '');

/** The task of a single file, which only the configuration's `tasks` names. */
export function soleTask<Task>(
  path: string,
  { known, wanted = [], help }: SoleTask<Task>,
): readonly [name: string, task: Task] {
  const [name = '', ...others] = wanted;
  const task = known.get(name);
  if (task !== undefined && others.length === 0) return [name, task];
  throw new UserError({
    code: 'one-task',
    message: `${path} is a single file, and \`tasks\` does not name its task`,
    help,
  });
}

interface SoleTask<Task> {
  readonly known: ReadonlyMap<string, Task>;
  readonly wanted: readonly string[] | undefined;
  readonly help: string;
}

/** The items of the wanted tasks, in the benchmark's order. An unknown task is an error. */
export function wantedTasks<Item>(
  items: ReadonlyMap<string, Item>,
  wanted: readonly string[] | undefined,
): ReadonlyMap<string, Item> {
  if (wanted === undefined) return items;
  const names = [...items.keys()];
  const unknown = wanted.find((task) => !items.has(task));
  if (unknown === undefined) return new Map([...items].filter(([task]) => wanted.includes(task)));
  throw new UserError({
    code: 'unknown-task',
    message: `the benchmark has no task \`${unknown}\``,
    help: didYouMean(unknown, names) ?? `it has ${names.slice(0, 60).join(', ')}`,
  });
}
