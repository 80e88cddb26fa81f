import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { INSTALLED_FILE, type TensorflowFlavour } from '../../../tensor/index.ts';
import { UsageError } from '../../exit-code.ts';
import { buildAddon, type CheckedAddon, checkAddon } from './addon.ts';
import {
  checkDisk,
  findCompiler,
  neededGigabytes,
  packageIndex,
  type SetupProgress,
  versions,
  wheelArchitecture,
} from './requirements.ts';
import { unpackLibraries } from './unpack-libraries.ts';

type TensorflowOrigin = 'storage' | 'pypi';

export interface TensorflowInstallation extends CheckedAddon {
  readonly folder: string;
  readonly origin: TensorflowOrigin;
  /** False where it was there already. */
  readonly isNew: boolean;
}

interface InstallRequest {
  /** Under it each flavour has a folder of its own. */
  readonly root: string;
  readonly flavour: TensorflowFlavour;
  /** The package's own storage where it answers, else PyPI, where absent. */
  readonly origin?: TensorflowOrigin | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly progress: SetupProgress;
}

/** Installs the engine, or finds that it is installed and works. What fails leaves only checked downloads behind. */
export async function installTensorflow(request: InstallRequest): Promise<TensorflowInstallation> {
  const { root, flavour, progress } = request;
  const folder = join(root, flavour);
  const before = await installedBefore(folder, request.origin);
  if (before !== undefined) return before;
  const plan = await planned(request);
  await using staging = await stagingFolder(root);
  await installPackages(staging.path, progress);
  if (plan.origin === 'storage') await fromStorage(staging.path, request);
  else await fromPypi(staging.path, { request, ...plan });
  progress.begin('checking it in a process of its own');
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

interface Plan {
  readonly origin: TensorflowOrigin;
  readonly index: URL;
  /** Its name; empty where nothing is to be built. */
  readonly compiler: string;
  readonly downloads: string;
}

/** Everything that can be refused is, before anything is downloaded. */
async function planned({ root, flavour, origin: asked, environment }: InstallRequest): Promise<Plan> {
  wheelArchitecture();
  const index = packageIndex(environment);
  const found = asked === 'storage' ? '' : await findCompiler(environment);
  await checkDisk(root, neededGigabytes[flavour]);
  const origin = asked ?? ((await isStorageReachable()) ? 'storage' : 'pypi');
  return { origin, index, compiler: found, downloads: join(root, 'downloads') };
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
    return undefined; // what does not work is made again
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

async function fromStorage(folder: string, { flavour, progress }: InstallRequest): Promise<void> {
  progress.begin('fetching libraries from its own storage');
  await installFromStorage({ folder, flavour, signal: progress.signal });
  progress.done('fetched libraries and addon from its own storage');
}

async function fromPypi(
  folder: string,
  { request, index, downloads, compiler }: Plan & { readonly request: InstallRequest },
): Promise<void> {
  const { flavour, progress } = request;
  await mkdir(downloads, { recursive: true });
  await unpackLibraries({ folder, downloads, flavour, progress, index });
  progress.begin('compiling the addon');
  await buildAddon({ folder, compiler, signal: progress.signal });
  progress.done(`compiled the addon with ${compiler}`);
}

function requireGpu({ usesGpu }: CheckedAddon, { flavour, origin }: InstallRequest): void {
  if (flavour === 'cpu' || usesGpu) return;
  throw new UsageError({
    message: 'TensorFlow was installed with CUDA and finds no GPU that it can use, so it was removed again',
    help:
      origin === undefined
        ? 'look at nvidia-smi; try --from pypi, which brings the CUDA libraries; or --cpu'
        : 'look at nvidia-smi: the driver has to be there, and new enough for CUDA 12.5; or use --cpu',
  });
}

const STORAGE =
  'https://storage.googleapis.com/tf-builds/pre-built-binary/napi-v8/4.22.0/CPU-linux-4.22.0.tar.gz';

/** Whether the storage that the package's own install script takes its libraries from answers. */
async function isStorageReachable(): Promise<boolean> {
  try {
    return (await fetch(STORAGE, { method: 'HEAD', signal: AbortSignal.timeout(10_000) })).ok;
  } catch {
    return false;
  }
}

interface StorageInstallation {
  readonly folder: string;
  readonly flavour: TensorflowFlavour;
  readonly signal: AbortSignal;
}

/** What the package's install script does, which npm was told not to run. */
async function installFromStorage({ folder, flavour, signal }: StorageInstallation): Promise<void> {
  const cwd = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const kind = flavour === 'cuda' ? 'gpu' : 'cpu';
  await execa(process.execPath, [join('scripts', 'install.js'), kind, 'download'], {
    cwd,
    cancelSignal: signal,
  });
}
