import type { HalfPrecision } from '../../ops/product-precision.ts';
import type { EngineTraits } from '../graph/engine-traits.ts';
import type { NativeEnvironment } from '../native/open-native-runtime.ts';
import type { Pointer } from '../native/ort-library.ts';

/** A part of ONNX Runtime that computes on a device. */
export interface DeviceProvider extends EngineTraits {
  readonly environment: NativeEnvironment;
  /** What computes, with versions: `WebGPU on NVIDIA L4, driver 550`. */
  readonly description: string;
  /** ONNX Runtime's name of the device's memory. */
  readonly memory: string;
  /** The 16-bit types in which it multiplies matrices, if the device can. */
  readonly halfPrecisions: () => readonly HalfPrecision[];
  /** Makes sessions with these options compute on the device. */
  readonly append: (options: Pointer) => void;
}

/** The backends that compute on a device with ONNX Runtime. */
export type DeviceBackendName = 'webgpu' | 'cuda';
