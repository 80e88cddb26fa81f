import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CachedDecoder } from '../../src/model/generation/stream.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const families = [
  'gpt2',
  'llama',
  'mistral',
  'phi3',
  'qwen2-yarn',
  'llama-dynamic',
  'qwen3-windowed',
  'gpt-neox',
  'gemma2',
  'gemma3',
];
const backends = backendsUnderTest;

/** The next five tokens by greedy decoding, with the logits that decided them. */
async function write(
  decoder: CachedDecoder,
  { prompt, limit }: { prompt: readonly number[]; limit: number },
) {
  const logits = [await decoder.prefill({ tokens: Int32Array.from(prompt), room: 5, limit })];
  const likeliest = () =>
    logits.at(-1)?.reduce((best, value, id, all) => (value > (all[best] ?? 0) ? id : best), 0);
  const tokens = [likeliest() ?? 0];
  while (tokens.length < 5) {
    logits.push((await decoder.step(tokens.at(-1) ?? 0)).slice());
    tokens.push(likeliest() ?? 0);
  }
  return { tokens, logits };
}

describe.each(backends.flatMap((backend) => families.map((family) => ({ backend, family }))))(
  'a conversation with $family on the $backend backend',
  ({ backend, family }) => {
    let model: LanguageModel;
    let computed = 0;
    beforeAll(async () => {
      await openTensorBackend({ backend });
      const opened = await openLanguageModel(join(import.meta.dirname, '../fixtures/model/families', family));
      const hidden: LanguageModel['hidden'] = (tokens) => {
        computed += tokens.positions.length;
        return opened.hidden(tokens);
      };
      model = { ...opened, hidden };
    });
    afterAll(() => model.dispose());

    test('continues, turn by turn, with the tokens that a new start would choose, and computes only what is new', async () => {
      const { contextLength: limit } = model.config;
      const before = tf.memory().numTensors;
      const kept = new CachedDecoder(model);
      let prompt = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];
      for (const added of [[], [9, 7, 9], [3, 2, 3, 8, 4], [6]]) {
        prompt = [...prompt, ...added];
        using decoder = new CachedDecoder(model);
        const freshly = await write(decoder, { prompt, limit });
        computed = 0;
        const { tokens, logits } = await write(kept, { prompt, limit });
        // At most eight new ones and four of the answer; all if keys depend on a text's length.
        if (added.length > 0 && family !== 'llama-dynamic') expect(computed).toBeLessThanOrEqual(12);
        expect(tokens).toEqual(freshly.tokens);
        for (const [step, values] of logits.entries())
          for (const [id, value] of values.entries())
            expect(Math.abs(value - (freshly.logits[step]?.[id] ?? 0))).toBeLessThan(1e-4);
        // Like a template: the answer with another last token.
        prompt = [...prompt, ...tokens.slice(0, 4), 7];
      }
      kept[Symbol.dispose]();
      expect(tf.memory().numTensors).toBe(before);
    });
  },
);
