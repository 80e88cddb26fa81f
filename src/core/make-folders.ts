import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, with those above it, unless it exists; returns the first that was missing. Node's own recursive mkdir
 * never ends where the system answers ENOENT although the parent exists, as in /proc.
 */
export async function makeFolders(path: string): Promise<string | undefined> {
  // Most calls find the folder there, and a failing mkdir costs far more than a look.
  if (isFolder(path)) return undefined;
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (isFolder(path)) return undefined;
    const isMissingParent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissingParent || dirname(path) === path) throw error;
  }
  const first = await makeFolders(dirname(path));
  // Another process may have made it meanwhile.
  await mkdir(path).catch((error: unknown) => {
    if (!isFolder(path)) throw error;
  });
  return first ?? path;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
