import * as tf from '@tensorflow/tfjs-core';
import {
  HALF_PRECISIONS,
  type HalfPrecision,
  openTensorBackend,
  productPrecision,
} from '../../src/tensor/index.ts';

/** The parts of tfjs's cpu backend that a kernel needs. */
interface CpuBackend {
  readonly data: { get(dataId: object): { readonly values: Float32Array } };
  disposeData(dataId: object, force: boolean): boolean;
  makeTensorInfo(shape: readonly number[], dtype: 'float32', values: Float32Array): tf.TensorInfo;
}

type Call = Parameters<tf.KernelFunc>[0];

/**
 * Opens tfjs's cpu backend with products in bf16 and fp16, by the definition of these types: factors and products are
 * rounded to the nearest number that the type has, and sums are exact.
 */
export async function openHalfOnCpu() {
  const info = await openTensorBackend({ backend: 'cpu' });
  if ('halfPrecisions' in tf.backend()) return info;
  for (const kernelName of ['_FusedMatMul', 'BatchMatMul']) {
    const own = tf.getKernel(kernelName, 'cpu');
    if (own === undefined) throw new Error(`the cpu backend has no ${kernelName}`);
    tf.unregisterKernel(kernelName, 'cpu');
    tf.registerKernel({
      ...{ kernelName, backendName: 'cpu' },
      kernelFunc: (call) => {
        const precision = productPrecision();
        return precision === 'float32' ? own.kernelFunc(call) : roundedProduct(call, own, precision);
      },
    });
  }
  Object.assign(tf.backend(), { halfPrecisions: HALF_PRECISIONS });
  return info;
}

function roundedProduct(call: Call, own: tf.KernelConfig, precision: HalfPrecision): tf.TensorInfo {
  const backend = call.backend as unknown as CpuBackend; // the cpu backend is active
  const { a, b, bias } = call.inputs as Readonly<Record<string, tf.TensorInfo>>;
  const valuesOf = ({ dataId }: tf.TensorInfo) => backend.data.get(dataId).values;
  const rounded = (tensor: tf.TensorInfo) =>
    backend.makeTensorInfo(tensor.shape, 'float32', valuesOf(tensor).map(roundTo[precision]));
  if (a === undefined || b === undefined) throw new Error('a product has two factors');
  const inputs = { a: rounded(a), b: rounded(b) };
  const product = own.kernelFunc({ ...call, inputs }) as tf.TensorInfo; // one output
  const values = valuesOf(product).map(roundTo[precision]);
  const added = bias === undefined ? undefined : valuesOf(bias);
  const result =
    added === undefined ? values : values.map((value, index) => value + (added[index % added.length] ?? 0));
  for (const tensor of [inputs.a, inputs.b, product]) backend.disposeData(tensor.dataId, true);
  return backend.makeTensorInfo(product.shape, 'float32', result);
}

const bits = new DataView(new ArrayBuffer(4));

/** To the nearest number of the type, of two equally near ones to the even one. */
const roundTo: Readonly<Record<HalfPrecision, (value: number) => number>> = {
  bf16: (value) => {
    if (!Number.isFinite(value)) return value;
    bits.setFloat32(0, value);
    const whole = bits.getUint32(0);
    bits.setUint32(0, (whole + 0x7fff + ((whole >>> 16) & 1)) & 0xffff0000);
    return bits.getFloat32(0);
  },
  fp16: (value) => {
    if (!Number.isFinite(value)) return value;
    const size = Math.abs(value);
    if (size >= 65520) return Math.sign(value) * Number.POSITIVE_INFINITY;
    const unit = 2 ** (Math.max(-14, Math.floor(Math.log2(size))) - 10);
    const steps = size / unit + 2 ** 52 - 2 ** 52;
    return Math.sign(value) * steps * unit;
  },
};
