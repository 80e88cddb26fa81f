import type { ElementType, HostArray } from '../graph/element-type.ts';

/** What compiles ONNX models and runs them: everything this backend asks of an engine. */
export interface GraphRunner {
  /** Name and version of the engine. */
  readonly engine: string;
  /** Threads that one operator may use. */
  readonly threads: number;
  compile(request: CompileRequest): CompiledGraph;
}

export interface CompileRequest {
  readonly model: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface CompiledGraph {
  /** Takes the inputs in their order and gives the outputs in theirs, in arrays of their own. */
  run(inputs: readonly HostTensor[]): HostArray[];
  dispose(): void;
}

export interface HostTensor {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly data: HostArray;
}
