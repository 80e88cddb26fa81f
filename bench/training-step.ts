import * as tf from '@tensorflow/tfjs-core';
import { adamWStep, openTensorBackend } from '../src/tensor/index.ts';
import { TinyGpt } from '../tests/tensor/tiny-gpt.ts';

// Milliseconds of a training step of a small GPT on the onnx backend: tracing, running and AdamW.
// npx esbuild bench/training-step.ts --bundle --platform=node --format=esm --packages=external --outfile=dist/training-step.mjs
// node dist/training-step.mjs
const [vocabulary, batch, length, warmUp, steps] = [600, 16, 48, 10, 100];
const settings = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

console.log(await openTensorBackend({ backend: 'onnx' }));
const model = new TinyGpt({ layers: 3, width: 128, heads: 4, vocabulary, positions: length });
const moments = model.variables.map(({ size }) => ({
  firstMoment: new Float32Array(size),
  secondMoment: new Float32Array(size),
}));

/** Milliseconds of tracing, running and AdamW. */
function timedStep(step: number): number[] {
  const words = Array.from({ length: batch * length }, (_, i) => (i * 7919 + step * 31) % vocabulary);
  let times: number[] = [];
  tf.tidy(() => {
    const start = performance.now();
    const ids = tf.tensor(words, [batch, length], 'int32');
    const { value, grads } = tf.variableGrads(() => model.loss(ids, ids), model.variables);
    const traced = performance.now();
    value.dataSync();
    const ran = performance.now();
    for (const [i, variable] of model.variables.entries()) {
      const [gradient, running] = [grads[variable.name], moments[i]];
      if (gradient === undefined || running === undefined)
        throw new Error(`${variable.name} has no gradient`);
      const arrays = {
        parameter: variable.dataSync<'float32'>(),
        gradient: gradient.dataSync<'float32'>(),
        ...running,
      };
      adamWStep(arrays, { ...settings, step });
    }
    times = [traced - start, ran - traced, performance.now() - ran];
  });
  return times;
}

const times = Array.from({ length: warmUp + steps }, (_, i) => timedStep(i + 1)).slice(warmUp);
const median = (index: number) =>
  times
    .map((row) => row[index] ?? 0)
    .sort((a, b) => a - b)
    [steps / 2]?.toFixed(2);
console.log({ tracing: median(0), running: median(1), optimizing: median(2) });
