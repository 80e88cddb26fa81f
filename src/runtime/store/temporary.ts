import { randomBytes } from 'node:crypto';
import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import { isNamedProcessGone, processName } from './process-identity.ts';
import { storeLayout } from './store-layout.ts';

/** A new name in the store's temporary folder, which is created if needed. The name tells which process uses it. */
export async function temporaryPath(root: string): Promise<string> {
  await makeFolders(join(root, storeLayout.temporary));
  return join(root, storeLayout.temporary, temporaryName());
}

/** A new empty folder in the store's temporary folder. */
export async function makeTemporaryFolder(root: string): Promise<string> {
  const path = await temporaryPath(root);
  await mkdir(path);
  return path;
}

const oneDay = 24 * 60 * 60 * 1000;

/**
 * Whether nothing can use an entry of the temporary folder any longer: its process on this machine is gone, or another
 * machine made it more than a day ago. A file keeps its date when it is moved here, so its own date says nothing.
 */
export function isAbandoned(
  { root, name }: { readonly root: string; readonly name: string },
  clock: DiskClock,
): boolean {
  const isGone = isNamedProcessGone(name);
  if (isGone !== undefined) return isGone;
  const found = lstatSync(join(root, storeLayout.temporary, name), { throwIfNoEntry: false });
  return found !== undefined && clock() - found.ctimeMs > oneDay;
}

/** The present time by the clock of the store's disk, which also dates what other machines write. */
export type DiskClock = () => number;

/** Reads the clock when it is first called, and no more than once. */
export function diskClock(root: string): DiskClock {
  let read: number | undefined;
  return () => {
    read ??= readClock(root);
    return read;
  };
}

function readClock(root: string): number {
  const path = join(root, storeLayout.temporary, temporaryName());
  try {
    writeFileSync(path, '');
    return lstatSync(path).ctimeMs;
  } finally {
    rmSync(path, { force: true });
  }
}

const temporaryName = (): string => `${processName()}-${randomBytes(8).toString('hex')}`;
