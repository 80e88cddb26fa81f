import type * as tf from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow operation; `type` is one of the binding's TF_ATTR_ numbers. */
interface OperationAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | string | readonly number[];
}

/** The attribute by which an operation knows that its tensors are float32; its name differs between operations. */
export const floatType = ({ binding }: TensorflowEngine, name: 'T' | 'dtype' = 'T'): OperationAttribute => ({
  ...{ name, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
});

/** A tensor of TensorFlow, by the number that the binding knows it by. */
interface TensorHandle {
  readonly id: number;
  readonly shape: readonly number[];
  /** TensorFlow's number of the type. */
  readonly dtype: number;
}

/** What is used of tfjs-node's backend beyond tfjs kernels: any TensorFlow operation, by name. */
export interface TensorflowEngine {
  readonly isUsingGpuDevice: boolean;
  readonly binding: {
    readonly TF_Version: string;
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_SHAPE: number;
    readonly TF_ATTR_STRING: number;
    readonly TF_ATTR_TYPE: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
    /** Tensors are identified by number here; the caller deletes those of the results. */
    executeOp(
      operation: string,
      attributes: readonly OperationAttribute[],
      inputs: readonly number[],
      outputs: number,
    ): readonly TensorHandle[];
    deleteTensor(id: number): void;
    getNumOfTensors(): number;
  };
  /** The TensorFlow tensor behind a tfjs tensor. */
  readonly tensorMap: { get(dataId: object): { id: number } };
  /** The numbers of tensors, whose values are passed to TensorFlow first if they have not been yet. */
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  /** The tensor of tfjs for a result, which it then owns. */
  createOutputTensor(handle: TensorHandle): tf.Tensor;
  executeSingleOutput(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly tf.TensorInfo[],
  ): tf.Tensor;
  executeMultipleOutputs(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
}
