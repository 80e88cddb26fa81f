import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { CliRig } from '../../cli/rig.ts';
import type { Law } from './law.ts';
import { underLaw } from './mortal-run.ts';

const tuneloomScript = fileURLToPath(new URL('../../../dist/tuneloom.js', import.meta.url));

/** Runs the built command under a law to its end. */
export async function mortalCommand({ folder }: Pick<CliRig, 'folder'>, words: readonly string[], law: Law) {
  const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', ...(await underLaw(law)) };
  return await execa(process.execPath, [tuneloomScript, ...words], {
    cwd: folder,
    env,
    extendEnv: false,
    reject: false,
  });
}
