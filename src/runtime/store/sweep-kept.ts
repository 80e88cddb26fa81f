import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from './names-in.ts';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';

const oneDay = 24 * 60 * 60 * 1000;
/** How long nobody has to come back to what a stage keeps for other executions before it goes. */
const keptMilliseconds = 30 * oneDay;
/** How many folders of checkpoints are kept: each may hold several times what the stage writes in the end. */
const mostCheckpoints = 8;

/** Bounds what stages keep for executions with other keys. Nothing that was used within a day goes. */
export async function sweepKept(store: Store, now: Date): Promise<void> {
  const age = ({ usedAt }: UsedFolder) => now.getTime() - usedAt;
  const memos = await foldersIn(join(store.root, storeLayout.memo));
  const checkpoints = await foldersIn(join(store.root, storeLayout.checkpoints));
  const tooMany = checkpoints.slice(mostCheckpoints).filter((folder) => age(folder) > oneDay);
  const tooOld = [...memos, ...checkpoints].filter((folder) => age(folder) > keptMilliseconds);
  for (const { path } of new Set([...tooMany, ...tooOld])) await rm(path, { recursive: true, force: true });
}

interface UsedFolder {
  readonly path: string;
  readonly usedAt: number;
}

/** The last used first. */
async function foldersIn(folder: string): Promise<readonly UsedFolder[]> {
  const found: UsedFolder[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const { mtimeMs: usedAt = 0 } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    found.push({ path, usedAt });
  }
  return found.sort((a, b) => b.usedAt - a.usedAt);
}
