import type { TensorBackendName } from '../src/tensor/index.ts';

/** The backends that a test runs on: the two of the package, or the one for which the suite is run once more. */
export const backendsUnderTest: readonly TensorBackendName[] = backendsOf(process.env.TENSOR_BACKEND);

function backendsOf(name: string | undefined): readonly TensorBackendName[] {
  return name === 'tensorflow' || name === 'webgpu' || name === 'cuda' ? [name] : ['cpu', 'onnx'];
}
