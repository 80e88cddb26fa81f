import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { INSTALLED_FILE, type TensorflowFlavor } from '../../../tensor/index.ts';
import { UsageError } from '../../exit-code.ts';
import { checkDisk, findPip, type SetupProgress, wheelArchitecture } from '../requirements.ts';
import { buildAddon, type CheckedAddon, checkAddon } from './addon.ts';
import { findCompiler, neededGigabytes, versions } from './requirements.ts';
import { unpackLibraries } from './unpack-libraries.ts';

/** Installs the engine, unless it is installed and works. A failure leaves only checked downloads behind. */
export async function installTensorflow(request: InstallRequest): Promise<TensorflowInstallation> {
  const { root, flavor, progress } = request;
  const folder = join(root, flavor);
  const before = await installedBefore(folder, request.origin);
  if (before !== undefined) return before;
  const plan = await planInstallation(request);
  await using staging = await stagingFolder(root);
  await installPackages(staging.path, progress);
  if (plan.origin === 'storage') await fromStorage(staging.path, request);
  else await fromPypi(staging.path, { request, ...plan });
  progress.begin('checking it in a separate process');
  const checked = await checkAddon(staging.path, progress.signal);
  requireGpu(checked, request);
  progress.done(`multiplied two matrices with TensorFlow ${checked.tensorflow}`);
  await writeFile(
    join(staging.path, INSTALLED_FILE),
    `${JSON.stringify({ ...versions, origin: plan.origin })}\n`,
  );
  await rm(folder, { recursive: true, force: true });
  await rename(staging.path, folder);
  await rm(plan.downloads, { recursive: true, force: true });
  return { ...checked, folder, origin: plan.origin, isNew: true };
}

type TensorflowOrigin = 'storage' | 'pypi';

export interface TensorflowInstallation extends CheckedAddon {
  readonly folder: string;
  readonly origin: TensorflowOrigin;
  /** False if it was installed before. */
  readonly isNew: boolean;
}

interface InstallRequest {
  /** The parent of a folder for each flavor. */
  readonly root: string;
  readonly flavor: TensorflowFlavor;
  /** By default the package's own storage if it is reachable, else PyPI. */
  readonly origin?: TensorflowOrigin | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly progress: SetupProgress;
}

interface Plan {
  readonly origin: TensorflowOrigin;
  /** Names of programs; empty if nothing has to be built. */
  readonly python: string;
  readonly compiler: string;
  readonly downloads: string;
}

/** Checks all requirements before anything is downloaded. */
async function planInstallation({ root, flavor, origin: asked, environment }: InstallRequest): Promise<Plan> {
  wheelArchitecture();
  const compiler = asked === 'storage' ? '' : await findCompiler(environment);
  const python = asked === 'storage' ? '' : await findPip(environment);
  await checkDisk({ folder: root, needed: neededGigabytes[flavor], variable: 'TUNELOOM_TENSORFLOW' });
  const origin = asked ?? ((await isStorageReachable()) ? 'storage' : 'pypi');
  return { origin, python, compiler, downloads: join(root, 'downloads') };
}

async function installedBefore(
  folder: string,
  wanted: TensorflowOrigin | undefined,
): Promise<TensorflowInstallation | undefined> {
  const file = join(folder, INSTALLED_FILE);
  if (!existsSync(file)) return undefined;
  try {
    const { origin, ...installed } = JSON.parse(await readFile(file, 'utf8'));
    if (JSON.stringify(installed) !== JSON.stringify(versions)) return undefined;
    if (wanted !== undefined && wanted !== origin) return undefined;
    return { ...(await checkAddon(folder)), folder, origin, isNew: false };
  } catch {
    return undefined; // it does not work: install it again
  }
}

async function stagingFolder(root: string): Promise<AsyncDisposable & { readonly path: string }> {
  await mkdir(root, { recursive: true });
  const path = await mkdtemp(join(root, 'new-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function installPackages(folder: string, { begin, done, signal }: SetupProgress): Promise<void> {
  const { tfjsNode, nodeApiHeaders } = versions;
  begin('installing npm packages');
  const dependencies = { '@tensorflow/tfjs-node-gpu': tfjsNode, 'node-api-headers': nodeApiHeaders };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev'];
  await execa('npm', ['install', ...flags], { cwd: folder, cancelSignal: signal });
  done(`installed @tensorflow/tfjs-node-gpu ${tfjsNode} from npm`);
}

async function fromStorage(folder: string, { flavor, progress }: InstallRequest): Promise<void> {
  progress.begin('downloading libraries from its own storage');
  // The package's install script, which npm was told not to run.
  const cwd = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const kind = flavor === 'cuda' ? 'gpu' : 'cpu';
  await execa(process.execPath, [join('scripts', 'install.js'), kind, 'download'], {
    cwd,
    cancelSignal: progress.signal,
  });
  progress.done('downloaded libraries and addon from its own storage');
}

async function fromPypi(
  folder: string,
  { request, python, downloads, compiler }: Plan & { readonly request: InstallRequest },
): Promise<void> {
  const { flavor, progress } = request;
  await mkdir(downloads, { recursive: true });
  await unpackLibraries({ folder, downloads, flavor, progress, python });
  progress.begin('compiling the addon');
  await buildAddon({ folder, compiler, signal: progress.signal });
  progress.done(`compiled the addon with ${compiler}`);
}

function requireGpu({ usesGpu }: CheckedAddon, { flavor, origin }: InstallRequest): void {
  if (flavor === 'cpu' || usesGpu) return;
  throw new UsageError({
    message: 'TensorFlow with CUDA was installed but finds no usable GPU, so it was removed again',
    help:
      origin === undefined
        ? 'check nvidia-smi; try --from pypi, which includes the CUDA libraries; or use --cpu'
        : 'check nvidia-smi: the driver must be loaded, and new enough for CUDA 12.5; or use --cpu',
  });
}

const STORAGE =
  'https://storage.googleapis.com/tf-builds/pre-built-binary/napi-v8/4.22.0/CPU-linux-4.22.0.tar.gz';

/** Whether the storage of the package's install script is reachable. */
async function isStorageReachable(): Promise<boolean> {
  try {
    return (await fetch(STORAGE, { method: 'HEAD', signal: AbortSignal.timeout(10_000) })).ok;
  } catch {
    return false;
  }
}
