import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  type AdafactorSettings,
  adafactorMatrixStep,
  adafactorVectorStep,
  adamWStep,
  lionStep,
  sgdStep,
  sumsOfSquaresOnHost,
} from '../../src/tensor/index.ts';
import { stepKernels } from '../../src/tensor/ops/step-kernels.ts';
import { type ListedTensor, readFixture } from './fixture.ts';
import { numbers, relativeError } from './numbers.ts';

interface Fixture {
  readonly adamw: { start: ListedTensor; gradients: ListedTensor[]; parameters: ListedTensor[] };
}

const { adamw } = readFixture<Fixture>('operations.json');
const settings = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };

test('adamWStep follows torch.optim.AdamW through five steps', () => {
  const parameter = Float32Array.from(adamw.start.values);
  const [firstMoment, secondMoment] = [new Float32Array(9), new Float32Array(9)];
  const errors = adamw.gradients.map(({ values }, i) => {
    const gradient = Float32Array.from(values);
    adamWStep({ parameter, gradient, firstMoment, secondMoment }, { ...settings, step: i + 1 });
    return relativeError(parameter, adamw.parameters[i]?.values ?? []);
  });
  expect(errors.filter((error) => error > 5e-7)).toEqual([]);
});

test('a step of AdamW over many chunks applies the formula to each element and changes nothing beyond the end', () => {
  const count = 20_001;
  const room = numbers(count + 3, { scale: 2 });
  const parameter = room.subarray(0, count);
  const gradient = numbers(count, { seed: 2 });
  const firstMoment = numbers(count, { seed: 3, scale: 0.1 });
  const secondMoment = numbers(count, { seed: 4 }).map(Math.abs);
  const wanted = parameter.map((theta, i) => {
    const g = 0.5 * (gradient[i] ?? 0);
    const m = 0.9 * (firstMoment[i] ?? 0) + 0.1 * g;
    const v = 0.95 * (secondMoment[i] ?? 0) + 0.05 * g * g;
    return theta * (1 - 0.001) - ((0.01 / (1 - 0.9 ** 3)) * m) / (Math.sqrt(v / (1 - 0.95 ** 3)) + 1e-8);
  });
  const beyond = [...room.subarray(count)];
  adamWStep({ parameter, gradient, firstMoment, secondMoment }, { ...settings, step: 3, gradientScale: 0.5 });
  expect(relativeError(parameter, wanted)).toBeLessThan(1e-6);
  expect([...room.subarray(count)]).toEqual(beyond);
});

// Sizes with several chunks, and with elements left over behind the last four.
const COUNT = 20_001;
const { fround } = Math;

/** Arrays of COUNT elements, followed by three that no step may change. */
function momentumArrays() {
  const rooms = [1, 2, 3].map((seed) => numbers(COUNT + 3, { seed, scale: seed }));
  const [parameter, gradient, momentum] = rooms.map((room) => room.subarray(0, COUNT)) as [
    ...[Float32Array, Float32Array, Float32Array],
  ];
  gradient.fill(0, 0, 100);
  momentum.fill(0, 50, 150);
  const beyond = () => rooms.map((room) => [...room.subarray(COUNT)]);
  return { arrays: { parameter, gradient, momentum }, beyond };
}

/** Bits that a float32 formula gives from one element of each array. */
const elementwise = (
  { parameter, gradient, momentum }: ReturnType<typeof momentumArrays>['arrays'],
  formula: (theta: number, g: number, m: number) => number,
) => parameter.map((theta, i) => formula(theta, gradient[i] ?? 0, momentum[i] ?? 0));

const [rate, decay, scale] = [fround(0.01), fround(1 - 0.01 * 0.1), fround(0.3)];

test('a step of Lion gives the float32 numbers of its formula to the last bit, and no step where all is zero', () => {
  const { arrays, beyond } = momentumArrays();
  const [after, behind] = [{ ...momentumArrays().arrays }, beyond()];
  const average = (share: number) => (g: number, m: number) =>
    fround(fround(m * fround(share)) + fround(fround(g * scale) * fround(1 - share)));
  after.parameter = elementwise(arrays, (theta, g, m) =>
    fround(fround(theta * decay) - fround(Math.sign(average(0.9)(g, m)) * rate)),
  );
  after.momentum = elementwise(arrays, (_, g, m) => average(0.99)(g, m));
  const still = fround((arrays.parameter[60] ?? 0) * decay);
  lionStep(arrays, { learningRate: 0.01, weightDecay: 0.1, gradientScale: 0.3, beta1: 0.9, beta2: 0.99 });
  expect(arrays).toEqual(after);
  expect(arrays.parameter[60]).toBe(still);
  expect(beyond()).toEqual(behind);
});

test.each([
  { name: 'without momentum', factor: 0, nesterov: false },
  { name: 'with momentum', factor: 0.9, nesterov: false },
  { name: "with Nesterov's momentum", factor: 0.9, nesterov: true },
])('a step of SGD $name gives the float32 numbers of its formula to the last bit', ({ factor, nesterov }) => {
  const { arrays, beyond } = momentumArrays();
  const behind = beyond();
  const slope = (theta: number, g: number) => fround(fround(g * scale) + fround(theta * fround(0.1)));
  const sum = (theta: number, g: number, m: number) =>
    factor === 0 ? slope(theta, g) : fround(fround(m * fround(factor)) + slope(theta, g));
  const step = (theta: number, g: number, m: number) =>
    nesterov ? fround(slope(theta, g) + fround(sum(theta, g, m) * fround(factor))) : sum(theta, g, m);
  const parameter = elementwise(arrays, (theta, g, m) => fround(theta - fround(step(theta, g, m) * rate)));
  const momentum = factor === 0 ? arrays.momentum.slice() : elementwise(arrays, sum);
  const settings = { learningRate: 0.01, weightDecay: 0.1, gradientScale: 0.3, factor, nesterov };
  sgdStep(factor === 0 ? { parameter: arrays.parameter, gradient: arrays.gradient } : arrays, settings);
  expect(arrays.parameter).toEqual(parameter);
  expect(arrays.momentum).toEqual(momentum);
  expect(beyond()).toEqual(behind);
});

const adafactor: AdafactorSettings = {
  ...{ learningRate: 0.02, weightDecay: 0.1, gradientScale: 0.5, beta1: 0, beta2: 0.7 },
  ...{ epsilon: [1e-30, 1e-3], clipThreshold: 1, scaleParameter: true },
};

const rootMean = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** The paper's formula in double precision, given 1 / sqrt of the mean squared gradient of each element. */
function adafactorFormula(
  { parameter, gradient, momentum }: { [name: string]: readonly number[] },
  { inverseRoot, beta1 = 0 }: { inverseRoot: readonly number[]; beta1?: number },
) {
  const update = (gradient ?? []).map((g, i) => 0.5 * g * (inverseRoot[i] ?? 0));
  const rate = Math.max(rootMean(parameter ?? []), 1e-3) * 0.02;
  const size = rate / Math.max(rootMean(update), 1);
  const change = update.map((u, i) => beta1 * (momentum?.[i] ?? 0) + (1 - beta1) * size * u);
  return {
    parameter: (parameter ?? []).map((theta, i) => theta - rate * 0.1 * theta - (change[i] ?? 0)),
    momentum: change,
  };
}

// Three columns leave places over in a group of four, 9,001 do not fit into a chunk, and 8 take many rows at a time.
test.each([
  { matrices: 1, rows: 7, columns: 3, beta1: 0 },
  { matrices: 2, rows: 5, columns: 9001, beta1: 0.9 },
  { matrices: 3, rows: 2500, columns: 8, beta1: 0 },
  { matrices: 1, rows: 40, columns: 768, beta1: 0.9 },
])(
  "a step of Adafactor over $matrices matrices of $rows x $columns gives the formula's numbers",
  ({ matrices, rows, columns, beta1 }) => {
    const size = matrices * rows * columns;
    const room = numbers(size + 3, { seed: 1 });
    const parameter = room.subarray(0, size);
    const gradient = numbers(size, { seed: 2 });
    const momentum = numbers(size, { seed: 3, scale: 0.01 });
    const rowMean = numbers(matrices * rows, { seed: 4, scale: 0.1 }).map(Math.abs);
    const columnMean = numbers(matrices * columns, { seed: 5, scale: 0.1 }).map(Math.abs);
    const squared = (matrix: number, row: number, column: number) =>
      (0.5 * (gradient[(matrix * rows + row) * columns + column] ?? 0)) ** 2;
    const meanOf = (count: number, square: (i: number) => number) =>
      Array.from({ length: count }, (_, i) => square(i)).reduce((sum, value) => sum + value, 0) / count;
    const wantedRows = [...rowMean].map(
      (mean, i) =>
        0.7 * mean + 0.3 * meanOf(columns, (column) => squared(Math.floor(i / rows), i % rows, column)),
    );
    const wantedColumns = [...columnMean].map(
      (mean, i) =>
        0.7 * mean + 0.3 * meanOf(rows, (row) => squared(Math.floor(i / columns), row, i % columns)),
    );
    const matrixMeans = Array.from({ length: matrices }, (_, matrix) =>
      meanOf(rows, (row) => wantedRows[matrix * rows + row] ?? 0),
    );
    const inverseRoot = Array.from(gradient, (_, i) => {
      const [matrix, row, column] = [Math.floor(i / rows / columns), Math.floor(i / columns), i % columns];
      const mean = matrixMeans[matrix] ?? 0;
      return 1 / Math.sqrt(((wantedRows[row] ?? 0) / mean) * (wantedColumns[matrix * columns + column] ?? 0));
    });
    const values = { parameter: [...parameter], gradient: [...gradient], momentum: [...momentum] };
    const wanted = adafactorFormula(values, { inverseRoot, beta1 });
    const beyond = [...room.subarray(size)];
    const arrays = { parameter, gradient, rowMean, columnMean, rows, columns };
    adafactorMatrixStep(beta1 === 0 ? arrays : { ...arrays, momentum }, { ...adafactor, beta1 });
    expect(relativeError(rowMean, wantedRows)).toBeLessThan(1e-6);
    expect(relativeError(columnMean, wantedColumns)).toBeLessThan(1e-6);
    expect(relativeError(parameter, wanted.parameter)).toBeLessThan(1e-6);
    if (beta1 > 0) expect(relativeError(momentum, wanted.momentum)).toBeLessThan(1e-6);
    expect([...room.subarray(size)]).toEqual(beyond);
  },
);

test('a step of Adafactor over a vector keeps the mean squared gradient of every element', () => {
  const [parameter, gradient] = [numbers(COUNT, { seed: 1 }), numbers(COUNT, { seed: 2 })];
  const meanSquare = numbers(COUNT, { seed: 3 }).map(Math.abs);
  const momentum = numbers(COUNT, { seed: 4, scale: 0.01 });
  const means = Array.from(meanSquare, (mean, i) => 0.7 * mean + 0.3 * (0.5 * (gradient[i] ?? 0)) ** 2);
  const values = { parameter: [...parameter], gradient: [...gradient], momentum: [...momentum] };
  const inverseRoot = means.map((mean) => 1 / Math.sqrt(mean));
  const wanted = adafactorFormula(values, { inverseRoot, beta1: 0.9 });
  adafactorVectorStep({ parameter, gradient, meanSquare, momentum }, { ...adafactor, beta1: 0.9 });
  expect(relativeError(meanSquare, means)).toBeLessThan(1e-6);
  expect(relativeError(parameter, wanted.parameter)).toBeLessThan(1e-6);
  expect(relativeError(momentum, wanted.momentum)).toBeLessThan(1e-6);
});

test('sums of squares are those of two sums in double precision, to the last bit, whatever else is summed beside them', () => {
  const arrays = [0, 1, 3, 4, 20_001, 8192, 16_390, 7, 40_000].map((length, seed) =>
    numbers(length, { seed }),
  );
  const wanted = arrays.map((values) => {
    const sums = [0, 0];
    for (const [i, value] of values.entries()) sums[i % 2] = (sums[i % 2] ?? 0) + value * value;
    return (sums[0] ?? 0) + (sums[1] ?? 0);
  });
  expect(sumsOfSquaresOnHost(arrays)).toEqual(wanted);
  expect(
    sumsOfSquaresOnHost([Float32Array.of(1, 2), Float32Array.of(Number.NaN), Float32Array.of(3)]),
  ).toEqual([...[5, Number.NaN, 9]]);
});

test('steps need 192 KiB of WebAssembly memory for any number of parameters, so its 4 GiB limit no model', () => {
  const count = 100_000;
  const arrays = ['parameter', 'gradient', 'firstMoment', 'secondMoment'].map((name) => [
    name,
    new Float32Array(count).fill(1),
  ]);
  adamWStep(Object.fromEntries(arrays), { ...settings, step: 1 });
  expect(stepKernels().parameter.buffer.byteLength).toBe(3 * 2 ** 16);

  // GPT-2 medium with an untied head: 24 blocks of width 1,024, 50,257 words, 1,024 positions.
  const [layers, width, vocabulary, positions] = [24, 1_024, 50_257, 1_024];
  const block = 12 * width ** 2 + 13 * width;
  const parameters = layers * block + (2 * vocabulary + positions) * width + 2 * width;
  expect(parameters).toBe(406_286_336);
  expect((4 * 4 * parameters) / 2 ** 32).toBeGreaterThan(1.5); // parameters, gradients and two moments in float32
});

test('the compiled module is up to date with its text', async () => {
  const path = new URL('../../src/tensor/wasm/optimizer-steps-module.ts', import.meta.url);
  const { compiledModule } = await import(new URL('../../scripts/compile-wasm.mjs', import.meta.url).href);
  expect(await readFile(path, 'utf8')).toBe(await compiledModule('optimizer-steps'));
});
