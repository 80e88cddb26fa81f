import { encodeModel, valueName } from '../encode-model.ts';
import type { GraphPlan } from '../graph/graph-plan.ts';
import type { ElementType, GraphValue, HostArray } from '../graph/graph-value.ts';

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

interface NamedWeight {
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
  if (data === null) throw new Error(`The weight ${value.weight} has no data.`);
  return { name: valueName(value), tensor: { shape, type, data } };
}
