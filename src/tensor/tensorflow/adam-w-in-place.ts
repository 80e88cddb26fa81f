import * as tf from '@tensorflow/tfjs-core';
import type { AdamWSettings, AdamWTensors } from '../ops/adam-w.ts';
import { floatType, type TensorflowEngine } from './tensorflow-engine.ts';

/**
 * The step that `adamWStep` takes on the host, in TensorFlow's memory. ResourceApplyAdam has no decoupled decay, which
 * is applied before it, and computes lr' m / (sqrt(v) + ε'): with lr' = lr sqrt(1 - β2^t) / (1 - β1^t) and ε' = ε
 * sqrt(1 - β2^t) that is the same. Its own bias correction uses powers in float32; passing 0 for them turns it off.
 */
export function adamWInPlace(
  engine: TensorflowEngine,
  { parameter, gradient, firstMoment, secondMoment }: AdamWTensors,
  settings: AdamWSettings,
): void {
  const { learningRate, weightDecay, step, epsilon, gradientScale = 1 } = settings;
  // The moments are means with β1 and β2 rounded to float32, so the corrections use the same values.
  const [beta1, beta2] = [Math.fround(settings.beta1), Math.fround(settings.beta2)];
  const root = Math.sqrt(1 - beta2 ** step);
  const rate = (learningRate * root) / (1 - beta1 ** step);
  tf.tidy(() => {
    if (weightDecay !== 0) parameter.assign(tf.mul(parameter, 1 - learningRate * weightDecay));
    const scaled = gradientScale === 1 ? gradient : tf.mul(gradient, gradientScale);
    const scalars = [0, 0, rate, beta1, beta2, epsilon * root].map((value) => tf.scalar(value));
    const inputs = engine.getInputTensorIds([...scalars, scaled]);
    changeInPlace(engine, [parameter, firstMoment, secondMoment], (handles) => {
      engine.binding.executeOp('ResourceApplyAdam', [floatType(engine)], [...handles, ...inputs], 0);
    });
  });
}

/**
 * Lends tensors to TensorFlow operations that change a variable: `change` gets a resource handle for each. Nothing is
 * copied if only the tensor holds its memory; if another tensor shares it, TensorFlow copies first and the other keeps
 * its values.
 */
function changeInPlace(
  engine: TensorflowEngine,
  tensors: readonly tf.TensorInfo[],
  change: (handles: readonly number[]) => void,
): void {
  const lent: LentTensor[] = [];
  try {
    for (const tensor of tensors) lent.push(lend(engine, { tensor, name: `lent-${lent.length}` }));
    change(lent.map(({ handle }) => handle));
  } finally {
    for (const one of lent) takeBack(engine, one);
  }
}

interface LentTensor {
  readonly tensor: tf.TensorInfo;
  /** The variable that holds the tensor's memory in the meantime. */
  readonly handle: number;
}

function lend(
  engine: TensorflowEngine,
  { tensor, name }: { readonly tensor: tf.TensorInfo; readonly name: string },
): LentTensor {
  const { binding } = engine;
  const [id = -1] = engine.getInputTensorIds([tensor]);
  const attributes = [
    { name: 'shared_name', type: binding.TF_ATTR_STRING, value: name },
    { name: 'shape', type: binding.TF_ATTR_SHAPE, value: tensor.shape },
    floatType(engine, 'dtype'),
  ];
  const [made] = binding.executeOp('VarHandleOp', attributes, [], 1);
  const handle = made?.id ?? -1;
  binding.executeOp('AssignVariableOp', [floatType(engine, 'dtype')], [handle, id], 0);
  // Otherwise two tensors would hold the memory, and TensorFlow would copy it before changing it.
  binding.deleteTensor(id);
  return { tensor, handle };
}

function takeBack(engine: TensorflowEngine, { tensor, handle }: LentTensor): void {
  const { binding } = engine;
  const [value] = binding.executeOp('ReadVariableOp', [floatType(engine, 'dtype')], [handle], 1);
  if (value !== undefined) engine.tensorMap.get(tensor.dataId).id = value.id;
  binding.executeOp('DestroyResourceOp', [], [handle], 0);
  binding.deleteTensor(handle);
}
