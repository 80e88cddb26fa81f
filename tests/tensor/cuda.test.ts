import { describe, expect, test } from 'vitest';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { installedCuda } from '../../src/tensor/onnx/device/locate-cuda.ts';
import { openEnvironment } from '../../src/tensor/onnx/native/open-native-runtime.ts';
import { hasNvidiaGpu } from '../../src/tensor/tensorflow/locate-tensorflow.ts';

const installed = installedCuda();

test.skipIf(installed !== undefined)(
  'without its installation, the backend cuda says how to install it',
  async () => {
    await expect(openTensorBackend({ backend: 'cuda' })).rejects.toMatchObject({
      code: 'cuda-missing',
      help: expect.stringContaining('tuneloom setup cuda'),
    });
  },
);

describe.skipIf(installed === undefined)('the installation of CUDA (where TUNELOOM_CUDA has one)', () => {
  test('its library computes, and has the interface of the pinned onnxruntime-node', async () => {
    // Opening it multiplies by -1 on the processor and compares.
    const { version } = await openEnvironment(installed?.library);
    expect(version).toBe('1.30.0');
  });

  test.skipIf(hasNvidiaGpu())('without a GPU all that is missing is the driver', async () => {
    await expect(openTensorBackend({ backend: 'cuda' })).rejects.toMatchObject({
      code: 'cuda-unusable',
      message: expect.stringContaining('libcuda.so.1'),
      help: expect.stringContaining('nvidia-smi'),
    });
  });
});
