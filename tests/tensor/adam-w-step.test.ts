import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { adamWStep } from '../../src/tensor/index.ts';
import { adamWKernel } from '../../src/tensor/ops/adam-w.ts';
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

test('a step over many chunks applies the formula to each element and changes nothing beyond the end', () => {
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

test('a step needs 128 KiB of WebAssembly memory for any number of parameters, so its 4 GiB limit no model', () => {
  const count = 100_000;
  const arrays = ['parameter', 'gradient', 'firstMoment', 'secondMoment'].map((name) => [
    name,
    new Float32Array(count).fill(1),
  ]);
  adamWStep(Object.fromEntries(arrays), { ...settings, step: 1 });
  expect(adamWKernel().parameter.buffer.byteLength).toBe(2 ** 17);

  // GPT-2 medium with an untied head: 24 blocks of width 1,024, 50,257 words, 1,024 positions.
  const [layers, width, vocabulary, positions] = [24, 1_024, 50_257, 1_024];
  const block = 12 * width ** 2 + 13 * width;
  const parameters = layers * block + (2 * vocabulary + positions) * width + 2 * width;
  expect(parameters).toBe(406_286_336);
  expect((4 * 4 * parameters) / 2 ** 32).toBeGreaterThan(1.5); // parameters, gradients and two moments in float32
});

test('the compiled module is up to date with its text', async () => {
  const path = new URL('../../src/tensor/wasm/adam-w-step-module.ts', import.meta.url);
  const { compiledModule } = await import(new URL('../../scripts/compile-wasm.mjs', import.meta.url).href);
  expect(await readFile(path, 'utf8')).toBe(await compiledModule('adam-w-step'));
});
