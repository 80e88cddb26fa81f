import type { NativeEnvironment } from '../native/open-native-runtime.ts';
import type { Pointer } from '../native/ort-library.ts';

/** A part of ONNX Runtime that computes on a device. */
export interface DeviceProvider {
  readonly environment: NativeEnvironment;
  /** What computes, with versions: `WebGPU on NVIDIA L4, driver 550`. */
  readonly description: string;
  /** ONNX Runtime's name of the device's memory. */
  readonly memory: string;
  /** Operators that it cannot compute as they are used here. */
  readonly lacks: ReadonlySet<string>;
  /** Makes sessions with these options compute on the device. */
  readonly append: (options: Pointer) => void;
}

/** The backends that compute on a device with ONNX Runtime. */
export type DeviceBackendName = 'webgpu' | 'cuda';
