import * as tf from '@tensorflow/tfjs-core';
import type { AdamWSettings, AdamWTensors } from '../ops/adam-w.ts';
import { productPrecision } from '../ops/product-precision.ts';
import { adamWInPlace } from './adam-w-in-place.ts';
import { halfProduct } from './half-products.ts';
import { floatType, type TensorflowEngine } from './tensorflow-engine.ts';

export interface TensorflowKernelCall {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly engine: TensorflowEngine;
}

type TensorflowKernel = (call: TensorflowKernelCall) => tf.Tensor | tf.Tensor[];

/** Kernels of the operations in ops/ for which TensorFlow has a single operation in place of several. */
export const fusedKernels: Readonly<Record<string, TensorflowKernel>> = {
  /** Returns [log softmax of the logits, its entry at each target or 0]. */
  TargetLogProbabilities: ({ inputs, engine }) => {
    const { logits, targets } = inputsOf(inputs, ['logits', 'targets']);
    const logProbabilities = engine.executeSingleOutput('LogSoftmax', [floatType(engine)], [logits]);
    const ofTargets = tf.tidy(() => {
      const { labels, counts } = labelsOf(targets);
      const picked = tf.gather(logProbabilities, tf.reshape(labels, [-1, 1]), 1, 1); // [N, 1]
      return tf.where(counts, tf.reshape(picked, targets.shape), 0);
    });
    return [logProbabilities, ofTargets];
  },

  /** Returns [log probability of each target or 0, softmax(logits) - onehot(target)]. */
  SparseCrossEntropy: ({ inputs, engine }) => {
    const { logits, targets } = inputsOf(inputs, ['logits', 'targets']);
    const { binding } = engine;
    const labelType = { name: 'Tlabels', type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 };
    return tf.tidy(() => {
      const { labels, counts } = labelsOf(targets);
      const [losses, slopes] = engine.executeMultipleOutputs(
        'SparseSoftmaxCrossEntropyWithLogits',
        [floatType(engine), labelType],
        [logits, labels],
        2,
      ) as [tf.Tensor, tf.Tensor]; // the number requested
      return [tf.where(counts, tf.neg(losses), 0), slopes];
    });
  },

  AdamWStep: ({ inputs, attributes, engine }) => {
    // As adamWStepInPlace passes them.
    adamWInPlace(engine, inputs as unknown as AdamWTensors, attributes as unknown as AdamWSettings);
    return [];
  },

  HalfSumOfSquares: ({ inputs, engine }) => {
    const { x } = inputsOf(inputs, ['x']);
    return engine.executeSingleOutput('L2Loss', [floatType(engine)], [x]);
  },

  /** As in tfjs, without its detour through batched products and a broadcast bias. */
  _FusedMatMul: ({ inputs, attributes, engine }) => {
    const { a, b } = inputsOf(inputs, ['a', 'b']);
    const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean }; // as tfjs passes them
    const precision = productPrecision();
    const type = engine.binding.TF_ATTR_BOOL;
    const product =
      precision === 'float32'
        ? engine.executeSingleOutput(
            'MatMul',
            [
              floatType(engine),
              { name: 'transpose_a', type, value: transposeA },
              { name: 'transpose_b', type, value: transposeB },
            ],
            [a, b],
          )
        : halfProduct(engine, { a, b, transposeA, transposeB, precision });
    if (inputs.bias === undefined) return product;
    const sum = engine.executeSingleOutput('BiasAdd', [floatType(engine)], [product, inputs.bias]);
    product.dispose();
    return sum;
  },

  /** Of float32, in a half precision. */
  BatchMatMul: ({ inputs, attributes, engine }) => {
    const { a, b } = inputsOf(inputs, ['a', 'b']);
    const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean }; // as tfjs passes them
    const precision = productPrecision();
    if (precision === 'float32') throw new Error('products in float32 are those of the package');
    return halfProduct(engine, { a, b, transposeA, transposeB, precision });
  },
};

/** Whether a kernel above can take the call, where the package has its own kernel for the others. */
export function takesCall(kernelName: string, { inputs, attributes }: TensorflowKernelCall): boolean {
  const { a, b, bias } = inputs;
  const isFloat = [a, b].every((factor) => factor?.dtype === 'float32');
  if (kernelName === 'BatchMatMul') return isFloat && productPrecision() !== 'float32';
  if (kernelName !== '_FusedMatMul') return true;
  return (
    isFloat &&
    attributes.activation === 'linear' &&
    [a, b].every((factor) => factor?.shape.length === 2) &&
    (bias === undefined || bias.shape.length === 1)
  );
}

/** Labels within the vocabulary, as TensorFlow requires, and which of them count: an ignored one is negative. */
function labelsOf(targets: tf.Tensor): { readonly labels: tf.Tensor; readonly counts: tf.Tensor } {
  const whole = tf.cast(targets, 'int32');
  const counts = tf.greaterEqual(whole, 0);
  return { labels: tf.maximum(whole, tf.scalar(0, 'int32')), counts };
}

function inputsOf<const Name extends string>(
  inputs: TensorflowKernelCall['inputs'],
  names: readonly Name[],
): Readonly<Record<Name, tf.Tensor>> {
  for (const name of names)
    if (inputs[name] === undefined) throw new Error(`a kernel was called without ${name}`);
  return inputs as Readonly<Record<Name, tf.Tensor>>; // checked above
}
