import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatBytes } from '../terminal/format-number.ts';
import type { Finding } from './finding.ts';

const LITTLE_DISK = 2e9;

/** Where results go, whether they can be written there and how much room is left. */
export async function lookAtStore(root: string): Promise<Finding> {
  const subject = 'store';
  const folder = nearestFolder(root);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${root}${folder === root ? '' : ' (made by the first run)'}, ${formatBytes(free)} free`;
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable)
    return { subject, state: 'bad', found, help: 'it is not writable: name another folder with --store' };
  if (free < LITTLE_DISK) return { subject, state: 'bad', found, help: 'free some disk space' };
  return { subject, state: 'good', found };
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}
