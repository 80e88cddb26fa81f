import { readdir } from 'node:fs/promises';
import { hasErrorCode } from './system-error.ts';

/** The names in a folder; none where it is gone, or where another process has put a file in its place. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
