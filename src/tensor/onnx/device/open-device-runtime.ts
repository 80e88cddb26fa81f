import { planGraph } from '../graph/graph-plan.ts';
import { GraphRecorder } from '../graph/graph-recorder.ts';
import { hostArrayOf, operator } from '../graph/graph-value.ts';
import { type NativeEnvironment, openEnvironment, sessionOptions } from '../native/open-native-runtime.ts';
import type { Pointer } from '../native/ort-library.ts';
import {
  type CompileRequest,
  compileRequest,
  type DeviceMemory,
  type GraphRunner,
  type StoredTensor,
} from '../session/graph-runner.ts';
import { findAdapter } from './adapter.ts';
import { DeviceSession, type DeviceTraffic } from './device-session.ts';

/** A runner whose tensors stay on a device between runs. */
export interface DeviceRunner extends GraphRunner {
  readonly device: DeviceMemory;
  /** What has crossed between the host and the device since the start. */
  readonly traffic: DeviceTraffic;
}

/**
 * Runs graphs on a GPU with ONNX Runtime's WebGPU provider, which the library of onnxruntime-node contains: Vulkan,
 * Direct3D 12 or Metal. Throws if there is no adapter.
 */
export async function openDeviceRuntime({ fallback }: DeviceOptions = {}): Promise<DeviceRunner> {
  const environment = await openEnvironment();
  const adapter = await findAdapter();
  const traffic = { uploaded: 0, downloaded: 0 };
  const memory = environment.library.create('CreateMemoryInfo', MEMORY, 0, 0, 0);
  const compile = (request: CompileRequest) => compileOn({ environment, memory, traffic, fallback }, request);
  const device = deviceMemory(compile);
  return {
    engine: `onnxruntime ${environment.version}, WebGPU on ${adapter?.name ?? 'an unknown adapter'}`,
    threads: 1,
    isNative: false,
    lacks: LACKING,
    device,
    traffic,
    compile,
  };
}

const PROVIDER = 'WebGPU';
const MEMORY = 'WebGPU_Buffer';

/** Operators for which the provider has no kernel, or one that leaves out a result or fails where shapes broadcast. */
const LACKING = new Set(['FusedMatMul', 'LogSoftmax', 'SimplifiedLayerNormalization', 'MatMulNBits', 'Pow']);

export interface DeviceOptions {
  /** `refuse`: a graph fails if the device lacks a kernel for one of its nodes; else the processor computes that node. */
  readonly fallback?: 'refuse' | undefined;
}

const NO_FALLBACK = 'session.disable_cpu_ep_fallback';

interface Device extends DeviceOptions {
  readonly environment: NativeEnvironment;
  readonly memory: Pointer;
  readonly traffic: DeviceTraffic;
}

function compileOn(device: Device, { model, inputs, outputs }: CompileRequest): DeviceSession {
  const { environment, memory, traffic } = device;
  const { library, memoryInfo } = environment;
  const options = sessionOptions(environment, 1);
  try {
    library.call('SessionOptionsAppendExecutionProvider', options, PROVIDER, null, null, 0);
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
    download: (tensor) => hostArrayOf(identityOf(tensor).run([tensor], FIRST)[0]),
  };
}

const FIRST = new Set([0]);

function identity({ shape, type }: StoredTensor): CompileRequest {
  const graph = new GraphRecorder(noTensors);
  const input = graph.fromHost(new Uint8Array(), { shape, type });
  graph.apply(operator('Identity'), [input]).references = 1;
  const plan = planGraph(graph.pending);
  if (plan === null) throw new Error('a graph with an output has no plan');
  return compileRequest(plan);
}

const refuse = () => {
  throw new Error('This graph has no tfjs tensors.');
};

const noTensors = { graphValueOf: refuse, register: refuse, addReference: refuse, replace: refuse };
