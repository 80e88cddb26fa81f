import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { formatBytes } from '../terminal/format-number.ts';
import type { SetupProgress } from './requirements.ts';

interface WheelRequest {
  /** What to download, as pip reads it: `tensorflow==2.21.0`. */
  readonly requirements: readonly string[];
  /** Whether to download what they depend on as well; by default not. */
  readonly withDependencies?: boolean;
  /** The name of this download in messages and of its folder in `downloads`. */
  readonly name: string;
  readonly downloads: string;
  readonly python: string;
  readonly progress: SetupProgress;
}

/**
 * Downloads wheels for this machine by pip, which checks their hashes and has its own settings for mirrors and proxies.
 * The libraries in a wheel do not depend on Python's version, so a version that all of them support is asked for.
 * Returns their paths. The folder outlives a failed setup, and pip does not download again what is in it.
 */
export async function downloadWheels(request: WheelRequest): Promise<readonly string[]> {
  const { requirements, withDependencies = false, name, downloads, python, progress } = request;
  const folder = join(downloads, name);
  await mkdir(folder, { recursive: true });
  progress.begin(`downloading ${name}`);
  const flags = ['--only-binary=:all:', `--python-version=${pythonVersion}`];
  if (!withDependencies) flags.push('--no-deps');
  await execa(
    python,
    [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      ...flags,
      `--dest=${folder}`,
      ...requirements,
    ],
    { cancelSignal: progress.signal },
  );
  const wheels = (await readdir(folder)).filter((file) => file.endsWith('.whl')).sort();
  const paths = wheels.map((file) => join(folder, file));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  progress.done(`downloaded ${name} (${formatBytes(sizes.reduce((sum, size) => sum + size, 0))})`);
  return paths;
}

const pythonVersion = '3.12';
