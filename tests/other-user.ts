import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('..', import.meta.url));

/** The user without rights. */
export const nobody = 65534;

/** Whether others may enter the folder of a path and all above it. */
function isOpen(path: string): boolean {
  const folder = dirname(path);
  return (statSync(folder).mode & 0o001) !== 0 && (folder === dirname(folder) || isOpen(folder));
}

/** Whether tuneloom can be run as another user: by root, with Node and the checkout in folders that others may enter. */
export const runsAsOthers: boolean =
  process.getuid?.() === 0 &&
  [process.execPath, `${checkout}/package.json`].map((path) => realpathSync(path)).every(isOpen);
