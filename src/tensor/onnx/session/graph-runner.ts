import type { HalfPrecision } from '../../ops/product-precision.ts';
import { encodeModel, valueName } from '../encode-model.ts';
import type { EngineTraits } from '../graph/engine-traits.ts';
import type { GraphPlan } from '../graph/graph-plan.ts';
import {
  type DeviceArray,
  type ElementType,
  type GraphValue,
  type HostArray,
  hostArrayOf,
} from '../graph/graph-value.ts';

/** Compiles ONNX models and runs them: everything this backend asks of an engine. */
export interface GraphRunner extends EngineTraits {
  /** Name and version of the engine. */
  readonly engine: string;
  /** Threads that one operator may use. */
  readonly threads: number;
  /** Its sessions share weights and working memory, and can write results into given arrays. */
  readonly isNative: boolean;
  /** Why it is a slower runner than there could be. */
  readonly note?: string;
  /** The 16-bit types in which it multiplies matrices; a device tries them when it is first asked. */
  readonly halfPrecisions?: readonly HalfPrecision[];
  /** Where tensors are kept, if that is not the host. */
  readonly device?: DeviceMemory;
  compile(request: CompileRequest): CompiledGraph;
  /** Takes arrays that are no longer used, for later results. */
  recycle?(arrays: readonly HostArray[]): void;
}

/** Copies between the host and a device. */
export interface DeviceMemory {
  upload(tensor: HostTensor): DeviceArray;
  download(tensor: StoredTensor): HostArray;
}

export interface CompileRequest {
  readonly model: Uint8Array;
  /** Names, in the order of `run`'s inputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly GraphOutput[];
  /** Constants that the model declares without their elements; native runners only. */
  readonly weights: readonly NamedWeight[];
}

export interface GraphOutput {
  readonly name: string;
  /** That of the plan which was compiled first; an open plan has another in each run. */
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Index of the input whose memory takes the result; native runners only. */
  readonly overwrites?: number | undefined;
}

interface NamedWeight {
  readonly name: string;
  readonly tensor: HostTensor;
}

export interface CompiledGraph {
  /**
   * Takes the inputs in order and returns the outputs in order, each in its own array. A runner with a device leaves them
   * there, except those with the indices `onHost`.
   */
  run(inputs: readonly StoredTensor[], options?: RunOptions): (HostArray | DeviceArray)[];
  /** The same without blocking this thread, if the engine can; the inputs must not change before it resolves. */
  runAsync(inputs: readonly StoredTensor[], options?: RunOptions): Promise<(HostArray | DeviceArray)[]>;
  /** A run over these arrays, to be repeated with other numbers in them; native runners only. */
  bind?(inputs: readonly StoredTensor[], options?: RunOptions): BoundRun;
  dispose(): void;
}

/** A run whose arrays are known: the results are always in the same ones. */
export interface BoundRun {
  readonly results: readonly HostArray[];
  /** Whether the graph that it runs has been disposed of. */
  readonly isStale: boolean;
  run(): Promise<void>;
  dispose(): void;
}

export interface RunOptions {
  /** The indices of outputs that are read. */
  readonly onHost?: ReadonlySet<number>;
  /** The shapes of the outputs; by default those that were compiled. */
  readonly shapes?: readonly (readonly number[])[];
}

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly data: HostArray | DeviceArray;
}

export interface HostTensor extends StoredTensor {
  readonly data: HostArray;
}

/** A tensor of a runner without a device. */
export const hostTensor = ({ shape, type, data }: StoredTensor): HostTensor => ({
  shape,
  type,
  data: hostArrayOf(data),
});

/** What a runner needs to compile a plan. */
export function compileRequest(plan: GraphPlan): CompileRequest {
  return {
    model: encodeModel(plan),
    inputs: plan.inputs.map(valueName),
    outputs: plan.outputs.map((value) => outputOf(value, plan)),
    weights: plan.weights.map(weightOf),
  };
}

function outputOf(value: GraphValue, { inputs }: GraphPlan): GraphOutput {
  const { shape, type, overwrites } = value;
  const output = { name: valueName(value), shape, type };
  return overwrites === null ? output : { ...output, overwrites: inputs.indexOf(overwrites) };
}

function weightOf(value: GraphValue): NamedWeight {
  const { shape, type, data } = value;
  return { name: valueName(value), tensor: { shape, type, data: hostArrayOf(data) } };
}
