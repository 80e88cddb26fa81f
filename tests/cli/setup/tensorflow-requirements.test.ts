import { expect, test } from 'vitest';
import { cudaRequirements } from '../../../src/cli/setup/tensorflow/unpack-libraries.ts';

test('only the requirements of the CUDA extra of a wheel are read', () => {
  const metadata = [
    'Requires-Dist: numpy<2.2.0,>=1.26.0',
    'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
    'Requires-Dist: nvidia-nccl-cu12 (<3.0,>=2.27.7) ; extra == "and-cuda"',
    'Requires-Dist: tensorflow-io>=0.23; extra == "gcs-filesystem"',
  ].join('\n');
  expect(cudaRequirements(metadata)).toEqual([
    'nvidia-cublas-cu12<13.0,>=12.5.3.2',
    'nvidia-nccl-cu12<3.0,>=2.27.7',
  ]);
});
