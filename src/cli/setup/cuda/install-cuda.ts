import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { hasNvidiaGpu, INSTALLED_FILE, installedCuda, nvidiaGpus } from '../../../tensor/index.ts';
import { UsageError } from '../../exit-code.ts';
import { downloadWheels } from '../download-wheels.ts';
import { checkDisk, findPip, type SetupProgress, wheelArchitecture } from '../requirements.ts';
import { unpackWheel } from '../unpack-wheel.ts';

/** The version of onnxruntime-node: the provider speaks with its own library only, whose C API has to be the known one. */
const versions = { onnxruntime: '1.30.0' } as const;

export interface CudaSetup {
  readonly folder: string;
  /** What computes, as doctor says. */
  readonly engine: string;
  /** False if it was installed before. */
  readonly isNew: boolean;
}

interface CudaRequest {
  readonly folder: string;
  /** This program's script, which checks the installation in another process. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly progress: SetupProgress;
}

/** Disk space for downloads and unpacked files together. */
const NEEDED_GIGABYTES = 5;

/**
 * Installs ONNX Runtime with its CUDA provider, CUDA and cuDNN from PyPI's wheels, unless that is done and works. An
 * installation is kept only if it multiplies two matrices; a failure leaves only downloads behind.
 */
export async function installCuda({
  folder,
  program,
  environment,
  progress,
}: CudaRequest): Promise<CudaSetup> {
  const check = (tried: string) =>
    checkInstallation(tried, { program, environment, signal: progress.signal });
  if (installedCuda(folder)?.library.version === versions.onnxruntime) {
    const before = await check(folder);
    if (before.state === 'good') return { folder, engine: before.found, isNew: false };
  }
  wheelArchitecture();
  checkDriver();
  const python = await findPip(environment);
  const downloads = `${folder}-downloads`;
  await checkDisk({ folder: downloads, needed: NEEDED_GIGABYTES, variable: 'TUNELOOM_CUDA' });
  const wheels = await downloadWheels({
    name: `ONNX Runtime ${versions.onnxruntime} with CUDA`,
    requirements: [`onnxruntime-gpu[cuda,cudnn]==${versions.onnxruntime}`],
    withDependencies: true,
    downloads,
    python,
    progress,
  });
  await mkdir(join(folder, '..'), { recursive: true });
  const staging = await mkdtemp(`${folder}-new-`);
  try {
    progress.begin('unpacking');
    for (const wheel of wheels) await unpackWheel(wheel, { folder: staging, isWanted });
    await writeFile(join(staging, INSTALLED_FILE), `${JSON.stringify(versions)}\n`);
    progress.begin('checking it in a separate process');
    const { state, found, help } = await check(staging);
    if (state !== 'good')
      throw new UsageError({
        message: `CUDA was installed but does not work, so it was removed again: ${found}`,
        help: help ?? 'check nvidia-smi; `--backend webgpu` needs no installation',
      });
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
    await rm(downloads, { recursive: true, force: true });
    return { folder, engine: found, isNew: true };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** The first driver with CUDA 13. */
const NEEDED_DRIVER = 580;

/** Throws if NVIDIA's driver is missing or too old: what is downloaded could not be checked, and would be removed again. */
function checkDriver(): void {
  if (!hasNvidiaGpu())
    throw new UsageError({
      message: 'there is no NVIDIA GPU: nvidia-smi lists none, and no driver of NVIDIA is loaded',
      help: `install NVIDIA's driver first, ${NEEDED_DRIVER} or later; \`--backend webgpu\` needs no installation and works on any GPU`,
    });
  const [gpu] = nvidiaGpus();
  if (gpu === undefined || Number.parseInt(gpu.driver, 10) >= NEEDED_DRIVER) return;
  throw new UsageError({
    message: `the driver of the ${gpu.name} is ${gpu.driver}, and CUDA 13 needs ${NEEDED_DRIVER} or later`,
    help: 'update the driver, or run `tuneloom setup tensorflow`, which has CUDA 12',
  });
}

/** ONNX Runtime's libraries but that for TensorRT, and those of CUDA. */
const isWanted = (path: string): boolean =>
  /^onnxruntime\/capi\/libonnxruntime(\.so|_providers_(cuda|shared)\.so)/.test(path) ||
  /^nvidia\/.*\.so(\.\d+)*$/.test(path);

interface Check {
  readonly state: string;
  readonly found: string;
  readonly help?: string;
}

/** What doctor says of an installation; it loads the libraries, whose crash ends only its process. */
async function checkInstallation(
  folder: string,
  { program, environment, signal }: Pick<CudaRequest, 'program' | 'environment'> & { signal: AbortSignal },
): Promise<Check> {
  const { stdout } = await execa(process.execPath, [program, 'doctor', '--json'], {
    cancelSignal: signal,
    env: { ...environment, TUNELOOM_CUDA: folder },
    extendEnv: false,
    reject: false,
  });
  signal.throwIfAborted();
  try {
    const { findings }: { findings: readonly (Check & { subject: string })[] } = JSON.parse(stdout);
    const finding = findings.find(({ subject }) => subject === 'backend cuda');
    if (finding !== undefined) return finding;
  } catch {
    // The process ended before it said anything.
  }
  return { state: 'bad', found: 'the process that loads it ends without a result' };
}
