import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { textLogLikelihoods } from '../../src/model/generation/log-likelihoods.ts';
import { logProbabilities, scorePrompts } from '../../src/model/generation/log-probabilities.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

test('the probabilities of all tokens add up to 1, and the likeliest come first, equal ones by id', () => {
  const logits = Float32Array.of(1, 3, 3, -2, 2.5);
  const { top, ...own } = logProbabilities(logits, 3, 5);
  // ln(e^1 + 2 e^3 + e^-2 + e^2.5), by hand: 3 + ln(e^-2 + 2 + e^-5 + e^-0.5) = 4.0113...
  expect(own.logProbability).toBeCloseTo(
    -2 - (3 + Math.log(Math.exp(-2) + 2 + Math.exp(-5) + Math.exp(-0.5))),
    12,
  );
  expect(top.map(({ token }) => token)).toEqual([1, 2, 4, 0, 3]);
  expect(top.reduce((sum, { logProbability }) => sum + Math.exp(logProbability), 0)).toBeCloseTo(1, 12);
  expect(logProbabilities(logits, 1, 0).top).toEqual([]);
  expect(logProbabilities(Float32Array.of(0, Number.NEGATIVE_INFINITY), 1, 1)).toEqual({
    ...{ token: 1, logProbability: Number.NEGATIVE_INFINITY },
    top: [{ token: 0, logProbability: 0 }],
  });
});

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  test('prompts are scored as their texts are by generate, alone or together to the bit, and no tensor is left', async () => {
    await openTensorBackend({ backend });
    const model = await openLanguageModel(join(import.meta.dirname, '../fixtures/model/tiny-llama'));
    const prompts = [[1, 2, 3, 4, 5], [7], [9, 8, 7, 6, 5, 4]].map((ids) => Int32Array.from(ids));
    const before = tf.memory().numTensors;
    const together = await scorePrompts({ model, prompts, batchSize: 3, top: [0, 1, 2] });
    for (const [index, prompt] of prompts.entries()) {
      const [alone] = await scorePrompts({ model, prompts: [prompt], batchSize: 3, top: [index] });
      expect(together[index]).toEqual(alone);
    }
    expect(tf.memory().numTensors).toBe(before);
    const texts = prompts.flatMap((tokens, index) =>
      tokens.length > 1 ? [{ id: `${index}`, tokens, from: 1 }] : [],
    );
    const scoring = { model, texts, batchSize: 3, signal: new AbortController().signal };
    for await (const { id, logLikelihood } of textLogLikelihoods(scoring)) {
      const scores = together[Number(id)]?.scores ?? [];
      expect(scores.map(({ token }) => token)).toEqual([...(prompts[Number(id)] ?? [])].slice(1));
      expect(scores.reduce((sum, { logProbability }) => sum + logProbability, 0)).toBeCloseTo(
        logLikelihood,
        4,
      );
    }
    model.dispose();
  });
});
