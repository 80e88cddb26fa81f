import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { suggest } from '../diagnostic/suggest.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';

/** For a path that does not exist: the like-named file beside it, or what else is there. `shown` is the path as the user knows it. */
export async function nearNames(path: string, shown: string): Promise<string | undefined> {
  const folder = dirname(shown);
  const entries = await readdir(dirname(path)).catch(() => undefined);
  if (entries === undefined) return `there is no folder ${quoted(folder)} either`;
  const nearest = suggest(basename(path), entries);
  if (nearest !== undefined)
    return `did you mean ${quoted(folder === '.' ? nearest : `${folder}/${nearest}`)}?`;
  const visible = entries.filter((name) => !name.startsWith('.')).sort();
  if (visible.length === 0) return 'its folder is empty';
  const rest = visible.length > 5 ? ', ...' : '';
  return `its folder holds ${listOf(visible.slice(0, 5), 'and')}${rest}`;
}
