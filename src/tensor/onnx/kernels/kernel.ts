import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';

/** The arguments of a kernel: tensors by name, attributes, and the graph to record into. */
export interface KernelCall<Inputs = Readonly<Record<string, TensorInfo>>, Attributes = unknown> {
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly graph: GraphRecorder;
}

export type Kernel = (call: KernelCall) => TensorInfo | TensorInfo[];

type Body<Inputs, Attributes> = (call: KernelCall<Inputs, Attributes>) => TensorInfo | TensorInfo[];

/** A kernel of tensors with the given names. */
export function kernel<Names extends string, Attributes = unknown>(
  body: Body<Readonly<Record<Names, TensorInfo>>, Attributes>,
): Kernel {
  return body as Kernel; // tfjs-core calls each kernel with its own names and attributes, but types them all alike
}

/** A kernel of a list of tensors. */
export function listKernel<Attributes = unknown>(body: Body<readonly TensorInfo[], Attributes>): Kernel {
  return body as unknown as Kernel; // tfjs-core types a list like a map of names
}
