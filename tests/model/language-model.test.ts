import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { crossEntropy, openTensorBackend, type TensorBackendName } from '../../src/tensor/index.ts';
import gpt2 from '../fixtures/model/tiny-gpt2.json' with { type: 'json' };
import llama from '../fixtures/model/tiny-llama.json' with { type: 'json' };

const cases = [
  { folder: 'tiny-gpt2', ids: gpt2.ids, expected: gpt2.untied },
  { folder: 'tiny-gpt2-tied', ids: gpt2.ids, expected: gpt2.tied },
  { folder: 'tiny-llama', ids: llama.ids, expected: llama.untied },
  { folder: 'tiny-llama-tied', ids: llama.ids, expected: llama.tied }, // stored in bfloat16
];
const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model', name);

describe.each<TensorBackendName>(['cpu', 'onnx'])('on the %s backend', (backend) => {
  beforeAll(() => openTensorBackend({ backend }));

  test.each(cases)(
    '$folder has the hidden states and logits of transformers, and leaks no tensor',
    async ({ folder, ids: rows, expected }) => {
      const before = tf.memory().numTensors;
      const model = await openLanguageModel(fixture(folder));
      const ids = Int32Array.from(rows.flat());
      const [hidden, logits] = tf.tidy(() => {
        const hidden = model.hidden(paddedRows(model.config, { ids, batch: 2, length: 9 }));
        return [hidden, model.logits(hidden)] as const;
      });
      expect(largestError(await hidden.data(), expected.hidden)).toBeLessThan(1e-5);
      expect(largestError(await logits.data(), expected.logits)).toBeLessThan(1e-5);
      tf.dispose([hidden, logits]);
      model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test.each(cases)(
    '$folder has the loss and the gradients of PyTorch',
    async ({ folder, ids: rows, expected }) => {
      const model = await openLanguageModel(fixture(folder));
      const ids = Int32Array.from(rows.flatMap((row) => row.slice(0, -1)));
      const targets = tf.tensor1d(
        rows.flatMap((row) => row.slice(1)),
        'int32',
      );
      const { value, grads } = tf.variableGrads(() => {
        const hidden = model.hidden(paddedRows(model.config, { ids, batch: 2, length: 8 }));
        return tf.reshape<tf.Rank.R0>(crossEntropy({ logits: model.logits(hidden), targets }), []);
      });
      expect(value.dataSync()[0]).toBeCloseTo(expected.loss, 5);
      const gradients = Object.fromEntries(
        [...model.parameters].map(([name, { name: variable }]) => {
          const values = grads[variable]?.dataSync() ?? new Float32Array();
          return [name, { norm: Math.hypot(...values), first: [...values.subarray(0, 4)] }];
        }),
      );
      expect(gradients).toEqual(
        Object.fromEntries(
          Object.entries(expected.gradients).map(([name, { norm, first }]) => [
            name,
            { norm: expect.closeTo(norm, 4), first: first.map((element) => expect.closeTo(element, 5)) },
          ]),
        ),
      );
      tf.dispose([value, targets, ...Object.values(grads)]);
      model.dispose();
    },
  );

  test('padding at the end of a row changes nothing before it', async () => {
    const model = await openLanguageModel(fixture('tiny-gpt2'));
    const ids = Int32Array.from(gpt2.ids.flatMap((row) => [...row, 60, 60, 60]));
    const logits = tf.tidy(() =>
      tf.reshape(
        model.logits(model.hidden(paddedRows(model.config, { ids, batch: 2, length: 12 }))),
        [2, 12, -1],
      ),
    );
    const unpadded = tf.slice(logits, [0, 0, 0], [2, 9, -1]);
    expect(largestError(await unpadded.data(), gpt2.untied.logits)).toBeLessThan(1e-5);
    tf.dispose([logits, unpadded]);
    model.dispose();
  });
});

test('rows longer than the context are refused', async () => {
  const model = await openLanguageModel(fixture('tiny-gpt2'));
  const rows = { ids: new Int32Array(25), batch: 1, length: 25 };
  expect(() => paddedRows(model.config, rows)).toThrow('rows of 25 tokens do not fit into a context of 24');
  model.dispose();
});

const largestError = (values: ArrayLike<number>, expected: number[][][]) =>
  Math.max(...expected.flat(2).map((value, index) => Math.abs(value - (values[index] ?? Number.NaN))));
