import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../dist/tuneloom.js', import.meta.url));

/** The user without rights. */
export const nobody = 65534;

/** Whether tuneloom can be run as another user: by root, with Node and the checkout in folders that others may enter. */
export const runsAsOthers: boolean =
  process.getuid?.() === 0 &&
  spawnSync('setpriv', [
    '--reuid',
    `${nobody}`,
    '--regid',
    `${nobody}`,
    '--clear-groups',
    process.execPath,
    script,
    '--version',
  ]).status === 0;
