import { expect, test } from 'vitest';
import { UserError } from '../../src/core/index.ts';
import { deviceFailure } from '../../src/tensor/onnx/device/device-failure.ts';

const codeOf = (message: string) => {
  const failure = deviceFailure(new Error(message));
  return failure instanceof UserError ? failure.code : undefined;
};

// Messages of ONNX Runtime 1.30, of Dawn in it, and of CUDA.
test.each([
  [
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[2]',
    'device-memory',
  ],
  ['Failed to allocate memory for requested buffer of size 4294967296', 'device-memory'],
  ['CUDA failure 2: out of memory ; GPU=0 ; hostname=gpu', 'device-memory'],
  ['CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0', 'device-memory'],
  ['CUDA failure 719: unspecified launch failure ; GPU=0', 'device-lost'],
  ['WebGPU device lost (2): The device was lost.', 'device-lost'],
  ['Buffer size (67600000000) exceeds the max buffer size limit (4294967296).', 'device-limit'],
  ['Could not find an implementation for Gemm(13) node', undefined],
])('the failure of a device, %s, says what to do about it: %s', (message, code) => {
  expect(codeOf(message)).toBe(code);
});
