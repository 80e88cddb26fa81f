import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { INSTALLED_FILE } from '../../tensorflow/locate-tensorflow.ts';
import type { LibraryFile } from '../native/open-native-runtime.ts';

export interface CudaInstallation {
  readonly folder: string;
  /** ONNX Runtime with its CUDA provider beside it. */
  readonly library: LibraryFile;
  /** Paths of the libraries of CUDA and cuDNN. */
  readonly cudaLibraries: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of `tuneloom setup cuda`. `TUNELOOM_CUDA` names another. */
export function cudaFolder({ TUNELOOM_CUDA, XDG_CACHE_HOME, HOME }: Environment = process.env): string {
  return TUNELOOM_CUDA || join(XDG_CACHE_HOME || join(HOME || homedir(), '.cache'), 'tuneloom', 'cuda');
}

/** The installation in a folder, unless it is missing or incomplete. */
export function installedCuda(folder: string = cudaFolder()): CudaInstallation | undefined {
  if (!existsSync(join(folder, INSTALLED_FILE))) return undefined;
  const { onnxruntime: version } = JSON.parse(readFileSync(join(folder, INSTALLED_FILE), 'utf8'));
  return cudaInstallation(folder, version);
}

/** The libraries in a folder into which the wheels of this version of onnxruntime-gpu and CUDA were unpacked. */
export function cudaInstallation(folder: string, version: string): CudaInstallation {
  const library = join(folder, 'onnxruntime', 'capi', `libonnxruntime.so.${version}`);
  const nvidia = join(folder, 'nvidia');
  const files = existsSync(nvidia) ? readdirSync(nvidia, { recursive: true, encoding: 'utf8' }) : [];
  const cudaLibraries = files.filter((name) => /\.so\.\d+$/.test(name)).map((name) => join(nvidia, name));
  return { folder, library: { path: library, version, folder }, cudaLibraries: cudaLibraries.sort() };
}
