import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GeneratedText,
  type GenerationSettings,
  generateTexts,
  type Prompt,
} from '../../src/model/generation/generate-texts.ts';
import { type TextScore, textLogLikelihoods } from '../../src/model/generation/log-likelihoods.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import type { Tokenizer } from '../../src/text/tokenizer/tokenizer.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import gpt2 from '../fixtures/model/tiny-gpt2.json' with { type: 'json' };
import llama from '../fixtures/model/tiny-llama.json' with { type: 'json' };

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model', name);
const words = (ids: readonly number[]) => ids.map((id) => `w${id}`).join(' ');
const greedy: GenerationSettings = {
  maxNewTokens: 10,
  temperature: 0,
  topP: 1,
  seed: 0,
  stop: [],
  batchSize: 3,
};
const sampled: GenerationSettings = { ...greedy, temperature: 1.5, topK: 40, topP: 0.95, seed: 7 };
const { signal } = new AbortController();

const backends = backendsUnderTest;
const models = [
  { folder: 'tiny-gpt2', expected: gpt2 },
  { folder: 'tiny-llama', expected: llama },
];

describe.each(backends.flatMap((backend) => models.map((one) => ({ backend, ...one }))))(
  '$folder on the $backend backend',
  ({ backend, folder, expected }) => {
    const prompts = expected.prompts.map((ids, index) => ({ id: `record-${index}`, text: words(ids) }));
    let model: LanguageModel;
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      await openTensorBackend({ backend });
      model = await openLanguageModel(fixture(folder));
      tokenizer = await openTokenizer(fixture(folder));
    });
    afterAll(() => model.dispose());

    async function write(
      asked: readonly Prompt[],
      settings: GenerationSettings,
    ): Promise<Map<string, GeneratedText>> {
      const written = new Map<string, GeneratedText>();
      for await (const text of generateTexts({ model, tokenizer, prompts: asked, settings, signal }))
        written.set(text.id, text);
      return written;
    }

    test('greedy decoding with a cache writes what transformers writes, and leaks no tensor', async () => {
      const before = tf.memory().numTensors;
      const written = await write(prompts, greedy);
      expect(prompts.map(({ id }) => written.get(id))).toEqual(
        expected.untied.greedy.map((ids, index) => ({
          id: `record-${index}`,
          text: words(ids),
          finishReason: 'length',
          tokens: 10,
        })),
      );
      expect(tf.memory().numTensors).toBe(before);
    });

    test.each([
      ['greedy', greedy],
      ['sampled', sampled],
    ])(
      'a %s answer does not depend on which other records are asked, nor on their order',
      async (_kind, settings) => {
        const together = await write(prompts, settings);
        const reversed = await write([...prompts].reverse(), settings);
        const [first, ...others] = prompts;
        const apart = new Map([
          ...(await write(others, settings)),
          ...(await write(first ? [first] : [], settings)),
        ]);
        const inOrder = (answers: Map<string, GeneratedText>) => prompts.map(({ id }) => answers.get(id));
        expect(inOrder(reversed)).toEqual(inOrder(together));
        expect(inOrder(apart)).toEqual(inOrder(together));
      },
    );

    test('another seed draws other answers', async () => {
      const texts = async (seed: number) => {
        const written = await write(prompts, { ...sampled, seed });
        return [...written.values()].map(({ text }) => text);
      };
      expect(await texts(8)).not.toEqual(await texts(7));
    });

    test('an answer ends before a stop string and at the end of text', async () => {
      const asked = prompts.slice(0, 1);
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = expected.untied.greedy[0] ?? [];
      const stopped = await write(asked, { ...greedy, stop: ['never', ` w${d} w${e}`] });
      const answer = { id: 'record-0', text: words([a, b, c]), finishReason: 'stop' };
      expect(stopped.get('record-0')).toEqual({ ...answer, tokens: 5 });
      const endingAtD = { ...tokenizer, endOfText: d };
      for await (const text of generateTexts({
        model,
        tokenizer: endingAtD,
        prompts: asked,
        settings: greedy,
        signal,
      }))
        expect(text).toEqual({ ...answer, tokens: 3 });
    });

    test('a prompt that leaves no room for the answer is refused by its id before anything is written', async () => {
      const long = { id: 'too-long', text: words(new Array(15).fill(1)) };
      await expect(write([...prompts, long], greedy)).rejects.toMatchObject({
        message: "1 of 6 prompts leave no room for 10 new tokens in the model's context of 24",
        records: [{ id: 'too-long', problem: 'its prompt has 15 tokens' }],
      });
      const fitting = { id: 'fits', text: words(new Array(14).fill(1)) };
      expect((await write([fitting], greedy)).get('fits')?.tokens).toBe(10);
    });

    test('an empty prompt is continued from the end of text', async () => {
      const written = await write([{ id: 'empty', text: '' }], greedy);
      const afterEnd = await write([{ id: 'empty', text: 'unknown' }], greedy); // which the tokenizer reads as end of text
      expect(written).toEqual(afterEnd);
    });

    test('an abort ends decoding', async () => {
      const aborted = AbortSignal.abort();
      const writing = generateTexts({ model, tokenizer, prompts, settings: greedy, signal: aborted });
      await expect(writing.next()).rejects.toThrow('aborted');
    });

    async function score(from: number, rows: readonly number[], batchSize: number): Promise<TextScore[]> {
      const texts = rows.map((row) => ({
        id: `${row}`,
        tokens: Int32Array.from(expected.ids[row] ?? []),
        from,
      }));
      const scores: TextScore[] = [];
      for await (const one of textLogLikelihoods({ model, texts, batchSize, signal })) scores.push(one);
      return scores;
    }

    test("a text's score is the sum of the log probabilities that transformers gives its tokens", async () => {
      const scores = await score(4, [0, 1], 3);
      expect(scores).toEqual(
        expected.untied.target_log_probabilities.map((values, row) => ({
          id: `${row}`,
          logLikelihood: expect.closeTo(
            values.slice(3).reduce((sum, value) => sum + value, 0),
            4,
          ),
          tokens: 5,
        })),
      );
    });

    test('a model whose weights are not finite is refused', async () => {
      const sound = model;
      model = { ...sound, logits: (hidden) => tf.mul(sound.logits(hidden), Number.NaN) };
      const refusal = { name: 'UserError', code: 'model-not-finite' };
      try {
        await expect(write(prompts.slice(0, 1), greedy)).rejects.toMatchObject({
          ...refusal,
          message: 'the model computes no numbers for record record-0: its weights hold NaN or infinity',
        });
        await expect(score(2, [0], 1)).rejects.toMatchObject({ ...refusal, records: [{ id: '0' }] });
      } finally {
        model = sound;
      }
    });

    test('a score does not depend on which other records are scored, nor on their order', async () => {
      const [first, second] = await score(2, [0, 1], 3);
      expect(await score(2, [1, 0], 3)).toEqual([second, first]);
      expect(await score(2, [1], 3)).toEqual([second]);
    });
  },
);
