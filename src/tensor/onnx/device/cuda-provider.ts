import { UserError } from '../../../core/index.ts';
import { cudaCapability, nvidiaGpus } from '../../tensorflow/locate-tensorflow.ts';
import { openEnvironment } from '../native/open-native-runtime.ts';
import type { OrtLibrary, Pointer } from '../native/ort-library.ts';
import type { DeviceProvider } from './device-provider.ts';
import { type CudaInstallation, installedCuda } from './locate-cuda.ts';

/** CUDA, with the library that `tuneloom setup cuda` installed. */
export async function openCuda(): Promise<DeviceProvider> {
  const installation = installedCuda();
  if (installation === undefined)
    throw new UserError({
      code: 'cuda-missing',
      message: 'the backend cuda is not installed',
      help: 'run `tuneloom setup cuda`, or use `--backend webgpu`, which needs no installation',
    });
  await loadLibraries(installation);
  const environment = await openEnvironment(installation.library);
  const [gpu] = nvidiaGpus();
  return {
    environment,
    description: `CUDA on ${gpu === undefined ? 'an unknown GPU' : `${gpu.name}, driver ${gpu.driver}`}`,
    memory: 'Cuda',
    // Its kernel takes half precision only.
    lacks: new Set(['GroupQueryAttention']),
    halfPrecisions: () => (hasBfloat16() ? ['bf16', 'fp16'] : ['fp16']),
    append: (options) => appendCuda(environment.library, options),
  };
}

/** GPUs before Ampere, of the compute capability 8, emulate bfloat16, which is slower than float32. */
const hasBfloat16 = (): boolean => (cudaCapability() ?? 8) >= 8;

/**
 * Loads CUDA's libraries, so that the provider finds them by name wherever they are installed. They depend on each other:
 * one that does not load yet is tried again after the others. What never loads is left to the provider to report.
 */
async function loadLibraries({ cudaLibraries }: CudaInstallation): Promise<void> {
  const { default: koffi } = await import('koffi');
  let left = cudaLibraries;
  for (;;) {
    const failed = left.filter((path) => {
      try {
        koffi.load(path);
        return false;
      } catch {
        return true;
      }
    });
    if (failed.length === 0 || failed.length === left.length) return;
    left = failed;
  }
}

const SETTINGS = {
  // Products in float32, as everywhere else; the tensor cores would round the factors to 10 bits.
  use_tf32: '0',
  // Memory is taken as needed, so that other programs can use the GPU as well.
  arena_extend_strategy: 'kSameAsRequested',
};

function appendCuda(library: OrtLibrary, options: Pointer): void {
  const cuda = library.create('CreateCUDAProviderOptions');
  try {
    const [names, values] = [Object.keys(SETTINGS), Object.values(SETTINGS)];
    library.call('UpdateCUDAProviderOptions', cuda, names, values, names.length);
    library.call('SessionOptionsAppendExecutionProvider_CUDA_V2', options, cuda);
  } catch (cause) {
    const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const reason = /with error: (.+)$/.exec(line)?.[1] ?? line;
    throw new UserError({
      code: 'cuda-unusable',
      message: `CUDA cannot be used: ${reason}`,
      help: 'check nvidia-smi: the driver must be loaded, and new enough for CUDA 13 (580 or later); or use `--backend webgpu`',
      cause,
    });
  } finally {
    library.release('CUDAProviderOptions', cuda);
  }
}
