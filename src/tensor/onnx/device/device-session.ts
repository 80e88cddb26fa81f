import { type DeviceArray, ELEMENT_BYTES, type HostArray, isOnDevice, sizeOf } from '../graph/graph-value.ts';
import { ArrayPool } from '../native/native-session.ts';
import type { OrtLibrary, Pointer } from '../native/ort-library.ts';
import type { CompiledGraph, GraphOutput, RunOptions, StoredTensor } from '../session/graph-runner.ts';
import { deviceFailure } from './device-failure.ts';

/** Bytes that crossed between the host and the device. */
export interface DeviceTraffic {
  uploaded: number;
  downloaded: number;
}

interface DeviceSessionParts {
  readonly library: OrtLibrary;
  readonly session: Pointer;
  readonly inputs: readonly string[];
  readonly outputs: readonly GraphOutput[];
  readonly hostInfo: Pointer;
  readonly deviceInfo: Pointer;
  readonly traffic: DeviceTraffic;
}

/** A compiled graph whose inputs may be on a device and whose outputs stay there. */
export class DeviceSession implements CompiledGraph {
  readonly #parts: DeviceSessionParts;

  constructor(parts: DeviceSessionParts) {
    this.#parts = parts;
  }

  run(inputs: readonly StoredTensor[], { onHost = NONE }: RunOptions = {}): (HostArray | DeviceArray)[] {
    const { library, session } = this.#parts;
    const binding = library.create('CreateIoBinding', session);
    const values: Pointer[] = [];
    try {
      for (const [index, input] of inputs.entries()) values.push(this.#bindInput(binding, { input, index }));
      const results = this.#parts.outputs.map((output, index) =>
        this.#bindOutput(binding, { output, inputs, values, isOnHost: onHost.has(index) }),
      );
      library.call('RunWithBinding', session, null, binding);
      const computed = library.boundOutputs(binding, results.length);
      return results.map((result, index) => this.#keep(result, { index, value: computed[index] ?? 0n }));
    } catch (cause) {
      throw deviceFailure(cause);
    } finally {
      for (const value of values) library.release('Value', value);
      library.release('IoBinding', binding);
    }
  }

  // The engine orders the work of all sessions on the device; calls from two threads at a time are not ordered.
  async runAsync(
    inputs: readonly StoredTensor[],
    options?: RunOptions,
  ): Promise<(HostArray | DeviceArray)[]> {
    return this.run(inputs, options);
  }

  dispose(): void {
    this.#parts.library.release('Session', this.#parts.session);
  }

  #bindInput(binding: Pointer, { input, index }: { input: StoredTensor; index: number }): Pointer {
    const { library, inputs, traffic } = this.#parts;
    const value = this.#valueOf(input);
    library.call('BindInput', binding, inputs[index] ?? '', value);
    if (!isOnDevice(input.data)) traffic.uploaded += input.data.byteLength;
    return value;
  }

  /** The array that takes a result on the host or in the memory of an input; null for new memory of the device. */
  #bindOutput(
    binding: Pointer,
    {
      output,
      inputs,
      values,
      isOnHost,
    }: {
      readonly output: GraphOutput;
      readonly inputs: readonly StoredTensor[];
      readonly values: Pointer[];
      readonly isOnHost: boolean;
    },
  ): HostArray | DeviceArray | null {
    const { library, deviceInfo, traffic } = this.#parts;
    const { name, shape, type, overwrites } = output;
    if (overwrites === undefined && !isOnHost) {
      library.call('BindOutputToDevice', binding, name, deviceInfo);
      return null;
    }
    const data = overwrites === undefined ? new ArrayPool().take(output) : inputs[overwrites]?.data;
    if (data === undefined) throw new Error(`The output ${name} overwrites an input that there is not.`);
    const value = this.#valueOf({ shape, type, data });
    values.push(value);
    library.call('BindOutput', binding, name, value);
    if (!isOnDevice(data)) traffic.downloaded += data.byteLength;
    return data;
  }

  /** A value of the engine over an array of the host or of the device. */
  #valueOf({ shape, type, data }: StoredTensor): Pointer {
    const { library, hostInfo, deviceInfo } = this.#parts;
    if (!isOnDevice(data)) return library.createTensor(hostInfo, { shape, type, data });
    const { address, byteLength } = data;
    return library.createTensorAt(deviceInfo, { shape, type, address, byteLength });
  }

  #keep(
    result: HostArray | DeviceArray | null,
    { index, value }: { readonly index: number; readonly value: Pointer },
  ): HostArray | DeviceArray {
    const { library, outputs } = this.#parts;
    const output = outputs[index];
    if (result !== null || output === undefined) {
      library.release('Value', value);
      return result ?? noData;
    }
    return {
      isOnDevice: true,
      address: library.tensorData(value),
      byteLength: sizeOf(output.shape) * ELEMENT_BYTES[output.type],
      release: () => library.release('Value', value),
    };
  }
}

const NONE: ReadonlySet<number> = new Set();
const noData = new Float32Array();
