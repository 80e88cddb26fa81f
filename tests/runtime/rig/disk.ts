import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small disk mounted at a folder until it is disposed of. */
export interface Disk extends Disposable {
  /** Options of mount, such as `size=2m` or `ro`. */
  readonly remount: (options: string) => void;
}

export function openDisk(folder: string, size: string): Disk {
  mkdirSync(folder);
  if (!mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder)) throw new Error(`no disk at ${folder}`);
  return {
    remount: (options) => mount('-o', `remount,${options}`, folder),
    [Symbol.dispose]: () => spawnSync('umount', [folder]),
  };
}

const mount = (...words: readonly string[]): boolean => spawnSync('mount', words).status === 0;

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'tuneloom-disk-'));
  try {
    using _ = openDisk(join(folder, 'disk'), '64k');
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether a test may mount disks: as root, and not in every container. */
export const disksPermitted = mayMount();

/** A test's title, with the reason where it is skipped. */
export const withDisk = (title: string): string =>
  disksPermitted ? title : `${title} (mounting a disk is not permitted here)`;
