import type { ElementType, HostArray } from '../graph/element-type.ts';

/** What compiles ONNX models and runs them: everything this backend asks of an engine. */
export interface GraphRunner {
  /** Name and version of the engine. */
  readonly engine: string;
  /** Threads that one operator may use. */
  readonly threads: number;
  /** Its sessions share weights and working memory, and can write a result into memory that they are given. */
  readonly isNative: boolean;
  /** Why it is a slower one than there might be. */
  readonly note?: string;
  compile(request: CompileRequest): CompiledGraph;
  /** Takes arrays back that nobody looks at any more, for later results. */
  recycle?(arrays: readonly HostArray[]): void;
}

export interface CompileRequest {
  readonly model: Uint8Array;
  /** Names, in the order in which `run` takes them. */
  readonly inputs: readonly string[];
  readonly outputs: readonly GraphOutput[];
  /** Constants that the model names without holding their elements; native runners only. */
  readonly weights: readonly NamedWeight[];
}

export interface GraphOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** The input whose memory takes the result, by its place; native runners only. */
  readonly overwrites?: number | undefined;
}

export interface NamedWeight {
  readonly name: string;
  readonly tensor: HostTensor;
}

export interface CompiledGraph {
  /** Takes the inputs in their order and gives the outputs in theirs, in arrays of their own. */
  run(inputs: readonly HostTensor[]): HostArray[];
  /** The same without blocking this thread, where the engine can; the inputs have to stay as they are meanwhile. */
  runAsync(inputs: readonly HostTensor[]): Promise<HostArray[]>;
  dispose(): void;
}

export interface HostTensor {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly data: HostArray;
}
