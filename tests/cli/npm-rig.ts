import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { openCliRig } from './rig.ts';

export const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** A user's shell: on its PATH are Node and npm, no git and no `tuneloom`, and npm reaches no registry. */
export interface NpmRig extends AsyncDisposable {
  readonly folder: string;
  readonly write: (path: string, text: string) => Promise<void>;
  /** Runs lines of shell in a folder of the rig until one fails, which throws, and returns what they print. */
  readonly shell: (folder: string, lines: string) => Promise<string>;
}

export async function openNpmRig(): Promise<NpmRig> {
  const rig = await openCliRig();
  const PATH = join(rig.folder, 'bin');
  await mkdir(PATH);
  for (const name of ['npm', 'npx', 'sh', 'cp', 'grep'])
    await symlink((await execa('sh', ['-c', `command -v ${name}`])).stdout, join(PATH, name));
  await symlink(process.execPath, join(PATH, 'node'));
  const npm = { npm_config_offline: 'true', npm_config_cache: join(rig.folder, 'npm-cache') };
  const env = { PATH, HOME: rig.folder, NO_COLOR: '1', ...npm };
  return {
    folder: rig.folder,
    write: rig.write,
    shell: async (folder, lines) => {
      const cwd = resolve(rig.folder, folder);
      await mkdir(cwd, { recursive: true });
      const { stdout } = await execa('sh', ['-ec', lines], { cwd, env, extendEnv: false });
      return stdout;
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

/** Packs the checkout as it was last built, into the rig's folder, and returns the tarball's name. */
export async function pack({ shell, folder }: NpmRig): Promise<string> {
  // Without the `prepare` script, which would rebuild the code that other tests are running.
  const printed = await shell(checkout, `npm pack --ignore-scripts --pack-destination '${folder}'`);
  return printed.split('\n').at(-1) ?? '';
}

/** Links the package's dependencies, and no others, into a project, so that npm needs no registry to install it. */
export async function linkDependencies(project: string): Promise<void> {
  const { dependencies, optionalDependencies } = JSON.parse(
    await readFile(join(checkout, 'package.json'), 'utf8'),
  );
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const path = join(project, 'node_modules', name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(checkout, 'node_modules', name), path);
  }
}
