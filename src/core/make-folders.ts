import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, with those above it, unless it exists; returns the first that was missing. Node's own recursive mkdir
 * never ends where the system answers ENOENT although the parent exists, as in /proc.
 */
export async function makeFolders(path: string): Promise<string | undefined> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    const isMissingParent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissingParent || existsSync(dirname(path))) throw error;
  }
  const first = await makeFolders(dirname(path));
  const made = await makeFolders(path);
  return first ?? made;
}
