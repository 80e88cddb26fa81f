import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { writeFileSync } from 'node:fs';
import type { TensorBackendName } from '../../../src/tensor/index.ts';
import { runSuite } from './run-suite.ts';

// A program: called with a backend and the file for the results. The tests leave timers behind, so it exits by itself.
const [backend = 'onnx', file = ''] = process.argv.slice(2);
const results = await runSuite({
  backend: backend as TensorBackendName, // from the test, or by hand
  load: () => import('@tensorflow/tfjs-core/dist/tests.js'),
});
writeFileSync(file, JSON.stringify(results));
process.exit(0);
