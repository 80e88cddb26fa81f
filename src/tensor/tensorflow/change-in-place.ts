import type * as tf from '@tensorflow/tfjs-core';
import type { TensorflowEngine } from './tensorflow-engine.ts';

/**
 * Lends tensors to operations that change a variable of TensorFlow: `change` gets a resource handle for each. Nothing is
 * copied where the tensor alone holds its memory; where another does, TensorFlow copies first and the other keeps its values.
 */
export function changeInPlace(
  engine: TensorflowEngine,
  tensors: readonly tf.TensorInfo[],
  change: (handles: readonly number[]) => void,
): void {
  const lent: Lent[] = [];
  try {
    for (const tensor of tensors) lent.push(lend(engine, { tensor, name: `lent-${lent.length}` }));
    change(lent.map(({ handle }) => handle));
  } finally {
    for (const one of lent) takeBack(engine, one);
  }
}

interface Lent {
  readonly tensor: tf.TensorInfo;
  /** Of the variable that holds the tensor's memory meanwhile. */
  readonly handle: number;
}

function lend(
  engine: TensorflowEngine,
  { tensor, name }: { readonly tensor: tf.TensorInfo; readonly name: string },
): Lent {
  const { binding } = engine;
  const [id = -1] = engine.getInputTensorIds([tensor]);
  const attributes = [
    { name: 'shared_name', type: binding.TF_ATTR_STRING, value: name },
    { name: 'shape', type: binding.TF_ATTR_SHAPE, value: tensor.shape },
    floatsOf(engine),
  ];
  const [made] = binding.executeOp('VarHandleOp', attributes, [], 1);
  const handle = made?.id ?? -1;
  binding.executeOp('AssignVariableOp', [floatsOf(engine)], [handle, id], 0);
  // Else two would hold the memory, and TensorFlow would copy it before it changes anything.
  binding.deleteTensor(id);
  return { tensor, handle };
}

function takeBack(engine: TensorflowEngine, { tensor, handle }: Lent): void {
  const { binding } = engine;
  const [value] = binding.executeOp('ReadVariableOp', [floatsOf(engine)], [handle], 1);
  if (value !== undefined) engine.tensorMap.get(tensor.dataId).id = value.id;
  binding.executeOp('DestroyResourceOp', [], [handle], 0);
  binding.deleteTensor(handle);
}

const floatsOf = ({ binding }: TensorflowEngine) => ({
  ...{ name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
});
