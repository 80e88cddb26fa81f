import { add, fill, sum, type Tensor, tidy } from '@tensorflow/tfjs-core';
import {
  HALF_PRECISIONS,
  type HalfPrecision,
  halfPrecisions,
  linear,
  type ProductPrecision,
  withProductPrecision,
} from '../../tensor/index.ts';

interface DeviceSpeed extends Partial<Readonly<Record<`${HalfPrecision}_gigaflops_per_second`, number>>> {
  /** Of products in float32. */
  readonly gigaflops_per_second: number;
  /** Read and written by additions. */
  readonly gigabytes_per_second: number;
}

export function saySpeed(speed: DeviceSpeed): string {
  const inHalf = HALF_PRECISIONS.flatMap((precision) => {
    const found = speed[`${precision}_gigaflops_per_second`];
    return found === undefined ? [] : [`${Math.round(found)} in ${precision}`];
  });
  const products = [`${Math.round(speed.gigaflops_per_second)} GFLOP/s`, ...inHalf].join(', ');
  return `${products}, ${Math.round(speed.gigabytes_per_second)} GB/s`;
}

/** Of the active backend, on a device. Many operations before each read, so that the transfer to the host does not count. */
export async function deviceSpeed(): Promise<DeviceSpeed> {
  const [side, products, sums] = [2048, 16, 16];
  const factor = fill([side, side], 1 / side);
  const secondsOf = async (compute: () => Tensor): Promise<number> => {
    const times: number[] = [];
    for (let run = 0; run < 4; run++) {
      const start = performance.now();
      const result = tidy(() => sum(compute()));
      await result.data();
      result.dispose();
      times.push((performance.now() - start) / 1000);
    }
    return Math.min(...times.slice(1));
  };
  const repeat = (times: number, next: (x: Tensor) => Tensor) => {
    let x: Tensor = factor;
    for (let done = 0; done < times; done++) x = next(x);
    return x;
  };
  const productsIn = async (precision: ProductPrecision) => {
    const multiply = () => repeat(products, (x) => linear({ x, weight: factor }));
    const seconds = await secondsOf(() => withProductPrecision(precision, multiply));
    return (2e-9 * side ** 3 * products) / seconds;
  };
  const inFloat32 = await productsIn('float32');
  const inHalf: [string, number][] = [];
  for (const precision of halfPrecisions())
    inHalf.push([`${precision}_gigaflops_per_second`, await productsIn(precision)]);
  const addition = await secondsOf(() => repeat(sums, (x) => add(x, factor)));
  factor.dispose();
  return {
    gigaflops_per_second: inFloat32,
    ...Object.fromEntries(inHalf),
    gigabytes_per_second: (3e-9 * 4 * side ** 2 * sums) / addition,
  };
}
