import { UserError } from '../../../core/index.ts';
import { openEnvironment } from '../native/open-native-runtime.ts';
import { findAdapter, webgpuObstacle } from './adapter.ts';
import type { DeviceProvider } from './device-provider.ts';

/** WebGPU, which the library of onnxruntime-node contains: Vulkan, Direct3D 12 or Metal. */
export async function openWebgpu(): Promise<DeviceProvider> {
  const obstacle = await webgpuObstacle();
  if (obstacle !== undefined)
    throw new UserError({
      code: 'webgpu-missing',
      message: `the backend webgpu cannot be used: ${obstacle.found}`,
      help: `${obstacle.help}; or use \`--backend onnx\`, which computes on the processor`,
    });
  const environment = await openEnvironment();
  const { library } = environment;
  const adapter = (await findAdapter())?.name ?? 'an unknown adapter';
  return {
    environment,
    description: `WebGPU on ${adapter}`,
    memory: 'WebGPU_Buffer',
    lacks: LACKS,
    halfPrecisions: () => ['fp16'],
    longestHalfSum: 1024,
    append: (options) => {
      try {
        library.call('SessionOptionsAppendExecutionProvider', options, 'WebGPU', null, null, 0);
      } catch (cause) {
        throw unusable(adapter, cause);
      }
    },
  };
}

/** Operators without a kernel, or with one that leaves out a result or fails where shapes broadcast. */
const LACKS = new Set(['FusedMatMul', 'LogSoftmax', 'SimplifiedLayerNormalization', 'MatMulNBits', 'Pow']);

/** The engine's message starts with a place in its source. */
function unusable(adapter: string, cause: unknown): UserError {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const reason = /was false\. (.+)$/.exec(line)?.[1] ?? line;
  return new UserError({
    code: 'webgpu-unusable',
    message: `WebGPU cannot use ${adapter}: ${reason}`,
    help: 'update the driver of the GPU; or use `--backend onnx`, which computes on the processor',
    cause,
  });
}
