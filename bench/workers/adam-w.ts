import { adamWStep } from '../../src/tensor/index.ts';
import { serve } from './serve.ts';

const settings = { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

/** About the size of a model's largest parameter, its embedding. */
const LARGEST = 2 ** 26;

// Steps over `parameters` in total. The first, which touches the memory for the first time, is not measured.
await serve(async ({ parameters, steps }: { parameters: number; steps: number }) => {
  const sizes = Array.from({ length: Math.ceil(parameters / LARGEST) }, (_, index) =>
    Math.min(LARGEST, parameters - index * LARGEST),
  );
  const array = (size: number, value: number) => new Float32Array(size).fill(value);
  const all = sizes.map((size) => ({
    parameter: array(size, 0.5),
    gradient: array(size, 0.25),
    firstMoment: array(size, 0),
    secondMoment: array(size, 0),
  }));
  const times: number[] = [];
  for (let step = 1; step <= steps + 1; step++) {
    const start = performance.now();
    for (const arrays of all) adamWStep(arrays, { ...settings, step });
    times.push((performance.now() - start) / 1000);
  }
  const seconds = times.slice(1).sort((a, b) => a - b)[steps >> 1] ?? 0;
  const { parameter } = all.at(-1) ?? {};
  return { seconds, memory: process.resourceUsage().maxRSS * 1024, last: parameter?.at(-1) };
});
