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
    await symlink((await execa('which', [name])).stdout, join(PATH, name));
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

/** Packs the checkout, as it is built, and returns the name of the tarball in the rig's folder. */
export async function pack({ shell, folder }: NpmRig): Promise<string> {
  // Without its `prepare` script, which would build again beneath the tests that run meanwhile.
  const words = `--ignore-scripts --json --pack-destination '${folder}'`;
  const packed = JSON.parse(await shell(checkout, `npm pack ${words}`));
  return packed[0].filename;
}

/** Puts what the package depends on, and nothing else, where npm finds it without a registry. */
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
