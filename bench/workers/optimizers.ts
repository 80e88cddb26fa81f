import { adafactorMatrixStep, adamWStep, lionStep, sgdStep } from '../../src/tensor/index.ts';
import { serve } from './serve.ts';

// A step of an optimizer for each request: `node optimizers.mjs OPTIMIZER ROWS`, over matrices of 1,000 columns.
const [optimizer = '', total = '0'] = process.argv.slice(2);
const columns = 1000;
/** About the size of a model's largest parameter, its embedding. */
const LARGEST = 2 ** 16;

const settings = { learningRate: 1e-4, weightDecay: 0.1, gradientScale: 1 };
const matrices = Array.from({ length: Math.ceil(Number(total) / LARGEST) }, (_, index) => {
  const rows = Math.min(LARGEST, Number(total) - index * LARGEST);
  const array = (value: number, size = rows * columns) => new Float32Array(size).fill(value);
  const arrays = { parameter: array(0.5), gradient: array(0.25) };
  return { arrays, step: stepOf(arrays, { rows, array }) };
});

function stepOf(
  arrays: { readonly parameter: Float32Array; readonly gradient: Float32Array },
  { rows, array }: { readonly rows: number; readonly array: (value: number, size?: number) => Float32Array },
): (step: number) => void {
  switch (optimizer) {
    case 'adamw': {
      const moments = { firstMoment: array(0), secondMoment: array(0) };
      const numbers = { ...settings, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
      return (step) => adamWStep({ ...arrays, ...moments }, { ...numbers, step });
    }
    case 'lion': {
      const all = { ...arrays, momentum: array(0) };
      return () => lionStep(all, { ...settings, beta1: 0.9, beta2: 0.99 });
    }
    case 'sgd': {
      const all = { ...arrays, momentum: array(0) };
      return () => sgdStep(all, { ...settings, factor: 0.9, nesterov: false });
    }
    case 'adafactor': {
      const means = { rowMean: array(0, rows), columnMean: array(0, columns) };
      const numbers = { beta1: 0, epsilon: [1e-30, 1e-3], clipThreshold: 1, scaleParameter: false } as const;
      return (step) =>
        adafactorMatrixStep(
          { ...arrays, ...means, rows, columns },
          { ...settings, ...numbers, beta2: 1 - step ** -0.8 },
        );
    }
    default:
      throw new Error(`no optimizer is called ${optimizer}`);
  }
}

let step = 0;
await serve(async () => {
  step++;
  const start = performance.now();
  for (const matrix of matrices) matrix.step(step);
  const seconds = (performance.now() - start) / 1000;
  const last = matrices.at(-1)?.arrays.parameter.at(-1);
  return { seconds, memory: process.resourceUsage().maxRSS * 1024, last };
});
