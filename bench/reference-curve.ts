import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLanguageModel } from '../src/model/language-model.ts';
import { openTensorBackend } from '../src/tensor/index.ts';
import { trainOnCurve } from '../tests/training/reference-curve.ts';

// The loss curve of tests/fixtures/training/reference-curve.py, PyTorch at GPT-2 124M's size, and ours with the same weights
// and batches: the largest difference, and the time of both.
// npx esbuild bench/reference-curve.ts --bundle --platform=node --format=esm --target=node20 --packages=external --outfile=dist/bench/reference-curve.mjs
// node dist/bench/reference-curve.mjs FOLDER
const [, , folder = ''] = process.argv;
const curve = JSON.parse(readFileSync(join(folder, 'curve.json'), 'utf8'));
console.log(await openTensorBackend({ backend: 'onnx' }));
const model = await openLanguageModel(folder);
const begun = performance.now();
const losses = await trainOnCurve(model, { ...curve, paddingFree: true });
const seconds = (performance.now() - begun) / 1000;
const differences = losses.map((loss, step) => Math.abs(loss - curve.losses[step]));
console.log({
  steps: losses.length,
  first: losses[0],
  last: losses.at(-1),
  largestDifference: Math.max(...differences),
  seconds,
  secondsOfPyTorch: curve.seconds,
  peakGiB: process.resourceUsage().maxRSS / 2 ** 20,
});
