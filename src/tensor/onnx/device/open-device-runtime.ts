import type { HalfPrecision } from '../../ops/product-precision.ts';
import { planGraph } from '../graph/graph-plan.ts';
import { GraphRecorder } from '../graph/graph-recorder.ts';
import { hostArrayOf, operator } from '../graph/graph-value.ts';
import { noTensors } from '../graph/value-storage.ts';
import { sessionOptions } from '../native/open-native-runtime.ts';
import type { Pointer } from '../native/ort-library.ts';
import {
  type CompileRequest,
  compileRequest,
  type DeviceMemory,
  type GraphRunner,
  type StoredTensor,
} from '../session/graph-runner.ts';
import { openCuda } from './cuda-provider.ts';
import { deviceFailure } from './device-failure.ts';
import type { DeviceBackendName, DeviceProvider } from './device-provider.ts';
import { DeviceSession, type DeviceTraffic } from './device-session.ts';
import { halfPrecisionsOf } from './half-precisions.ts';
import { openWebgpu } from './webgpu-provider.ts';

/** A runner whose tensors stay on a device between runs. */
export interface DeviceRunner extends GraphRunner {
  readonly device: DeviceMemory;
  /** What has crossed between the host and the device since the start. */
  readonly traffic: DeviceTraffic;
}

/** Runs graphs on a device with ONNX Runtime. Throws if its provider or the device is missing. */
export async function openDeviceRuntime(
  backend: DeviceBackendName,
  { fallback }: DeviceOptions = {},
): Promise<DeviceRunner> {
  const provider = await (backend === 'cuda' ? openCuda() : openWebgpu());
  const { library, version } = provider.environment;
  const { lacks, longestHalfSum } = provider;
  const traits = { ...(lacks && { lacks }), ...(longestHalfSum && { longestHalfSum }) };
  const traffic = { uploaded: 0, downloaded: 0 };
  const memory = library.create('CreateMemoryInfo', provider.memory, 0, 0, 0);
  const compile = (request: CompileRequest) => compileOn({ provider, memory, traffic, fallback }, request);
  const device = deviceMemory(compile);
  checkDevice(device);
  let halves: readonly HalfPrecision[] | undefined;
  return {
    engine: `onnxruntime ${version}, ${provider.description}`,
    threads: 1,
    isNative: false,
    ...traits,
    get halfPrecisions() {
      halves ??= halfPrecisionsOf(provider.halfPrecisions(), {
        ...traits,
        compile: (request) => compileOn({ provider, memory, traffic, fallback: 'refuse' }, request),
      });
      return halves;
    },
    device,
    traffic,
    compile,
  };
}

export interface DeviceOptions {
  /** `refuse`: a graph fails if the device lacks a kernel for one of its nodes; else the processor computes that node. */
  readonly fallback?: 'refuse' | undefined;
}

const NO_FALLBACK = 'session.disable_cpu_ep_fallback';

interface Device extends DeviceOptions {
  readonly provider: DeviceProvider;
  readonly memory: Pointer;
  readonly traffic: DeviceTraffic;
}

function compileOn(device: Device, { model, inputs, outputs }: CompileRequest): DeviceSession {
  const { provider, memory, traffic } = device;
  const { environment } = provider;
  const { library, memoryInfo } = environment;
  const options = sessionOptions(environment, 1);
  try {
    provider.append(options);
    if (device.fallback === 'refuse') library.call('AddSessionConfigEntry', options, NO_FALLBACK, '1');
    const session = library.create(
      'CreateSessionFromArray',
      ...[environment.environment, model, model.byteLength, options],
    );
    return new DeviceSession({
      library,
      session,
      inputs,
      outputs,
      hostInfo: memoryInfo,
      deviceInfo: memory,
      traffic,
    });
  } catch (cause) {
    throw deviceFailure(cause);
  } finally {
    library.release('SessionOptions', options);
  }
}

/** Copies by sessions that compute the identity of a shape, since the C API copies between devices only for plug-ins. */
function deviceMemory(compile: (request: CompileRequest) => DeviceSession): DeviceMemory {
  const sessions = new Map<string, DeviceSession>();
  const identityOf = (tensor: StoredTensor): DeviceSession => {
    const key = `${tensor.type} ${tensor.shape.join()}`;
    const known = sessions.get(key) ?? compile(identity(tensor));
    sessions.set(key, known);
    return known;
  };
  return {
    upload(tensor) {
      const [array] = identityOf(tensor).run([tensor]);
      if (array === undefined || !('isOnDevice' in array)) throw new Error('An upload stayed on the host.');
      return array;
    },
    download: (tensor) => hostArrayOf(identityOf(tensor).run([tensor], { onHost: FIRST })[0]),
  };
}

const FIRST = new Set([0]);

/** Throws if the device cannot be used: a session opens it. */
function checkDevice({ upload, download }: DeviceMemory): void {
  const sent = { shape: [2], type: 'float32', data: Float32Array.of(1, 2) } as const;
  const stored = upload(sent);
  const received = download({ ...sent, data: stored });
  stored.release();
  if (received.join() !== sent.data.join())
    throw new Error(`The device returns ${received} for ${sent.data}.`);
}

function identity({ shape, type }: StoredTensor): CompileRequest {
  const graph = new GraphRecorder(noTensors);
  const input = graph.fromHost(new Uint8Array(), { shape, type });
  graph.apply(operator('Identity'), [input]).references = 1;
  const plan = planGraph(graph.pending);
  if (plan === null) throw new Error('a graph with an output has no plan');
  return compileRequest(plan);
}
