import { matMul, type Tensor2D, tensor2d } from '@tensorflow/tfjs-core';

/** (1 2; 3 4) times itself is (7 10; 15 22). */
export async function multipliesCorrectly(): Promise<boolean> {
  const factor: Tensor2D = tensor2d([1, 2, 3, 4], [2, 2]);
  const product = matMul(factor, factor);
  const values = await product.data();
  factor.dispose();
  product.dispose();
  return values.join() === '7,10,15,22';
}
