import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/core/random-stream.ts';
import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { choiceLogLikelihoods, type ScoredChoices } from '../../src/model/generation/choices.ts';
import { textLogLikelihoods } from '../../src/model/generation/log-likelihoods.ts';
import type { ChoicesToScore } from '../../src/model/generation/token-trees.ts';
import { initialModel } from '../../src/model/initial-model.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model', name);
const { signal } = new AbortController();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rate-choices-'));
  const sizes = { vocabularySize: 61, contextLength: 512, hiddenSize: 16, layers: 2, heads: 2 };
  await writeModelFolder(
    join(root, 'gpt2'),
    initialModel({ family: 'gpt2', ...sizes, tied: false, seed: 1, endOfText: 60 }),
  );
  // Rotary positions need no weights, so the context can have any length.
  await cp(fixture('tiny-llama'), join(root, 'llama'), { recursive: true });
  const config = JSON.parse(await readFile(join(root, 'llama/config.json'), 'utf8'));
  await writeFile(
    join(root, 'llama/config.json'),
    JSON.stringify({ ...config, max_position_embeddings: 512 }),
  );
});
afterAll(() => rm(root, { recursive: true }));

const random = new RandomStream(['choices']);
const tokens = (length: number) => Int32Array.from({ length }, () => Math.floor(60 * random.uniform()));
const shots = tokens(140);

/** Contexts short and long, with and without a shared prefix, and continuations that fill several rows. */
const questions: readonly ChoicesToScore[] = [
  { id: 'short', context: tokens(3), continuations: [tokens(1), tokens(1), tokens(1), tokens(1)], shared: 0 },
  { id: 'one token', context: tokens(1), continuations: [tokens(4), tokens(2)], shared: 1 },
  ...[5, 9, 30, 70].map((length) => ({
    id: `after shots, ${length}`,
    context: Int32Array.of(...shots, ...tokens(length)),
    continuations: [tokens(1), tokens(3), tokens(6)],
    shared: shots.length,
  })),
  { id: 'all shared', context: shots.slice(0, 128), continuations: [tokens(2), tokens(2)], shared: 128 },
  {
    id: 'many',
    context: tokens(20),
    continuations: Array.from({ length: 6 }, () => tokens(30)),
    shared: 10,
  },
];

const backends = backendsUnderTest;
describe.each(backends.flatMap((backend) => ['gpt2', 'llama'].map((family) => ({ backend, family }))))(
  '$family on the $backend backend',
  ({ backend, family }) => {
    let model: LanguageModel;
    beforeAll(async () => {
      await openTensorBackend({ backend });
      model = await openLanguageModel(join(root, family));
    });
    afterAll(() => model.dispose());

    async function rate(choices: readonly ChoicesToScore[]): Promise<ReadonlyMap<string, ScoredChoices>> {
      const rated = new Map<string, ScoredChoices>();
      for await (const one of choiceLogLikelihoods({ model, choices, batchSize: 2, signal }))
        rated.set(one.id, one);
      return rated;
    }

    test('every score depends on its context and continuation alone, and no tensor is leaked', async () => {
      const texts = questions.flatMap(({ id, context, continuations }) =>
        continuations.map((continuation, index) => ({
          id: `${id} ${index}`,
          tokens: Int32Array.of(...context, ...continuation),
          from: context.length,
        })),
      );
      const alone = new Map<string, number>();
      for await (const { id, logLikelihood } of textLogLikelihoods({ model, texts, batchSize: 1, signal }))
        alone.set(id, logLikelihood);
      const before = tf.memory().numTensors;
      const rated = await rate(questions);
      expect(tf.memory().numTensors).toBe(before);
      const found = questions.flatMap(({ id }) =>
        (rated.get(id)?.scores ?? []).map(({ logLikelihood }, index) => [`${id} ${index}`, logLikelihood]),
      );
      expect(found).toEqual(texts.map(({ id }) => [id, expect.closeTo(alone.get(id) ?? 0, 3.7)]));
    });

    test('a score does not depend on which other records are scored, nor on their order', async () => {
      const together = await rate(questions);
      const reversed = await rate([...questions].reverse());
      const apart = new Map<string, ScoredChoices>();
      for (const one of questions) for (const [id, rated] of await rate([one])) apart.set(id, rated);
      for (const { id } of questions) {
        expect(reversed.get(id)).toEqual(together.get(id));
        expect(apart.get(id)).toEqual(together.get(id));
      }
    });

    test('a continuation is greedy if each of its tokens is the likeliest', async () => {
      const context = tokens(5);
      const single = Array.from({ length: 60 }, (_, token) => Int32Array.of(token));
      const [first] = [...(await rate([{ id: 'a', context, continuations: single, shared: 0 }])).values()];
      const ratings = first?.scores ?? [];
      const best = Math.max(...ratings.map(({ logLikelihood }) => logLikelihood));
      expect(ratings.map(({ isGreedy }) => isGreedy)).toEqual(
        ratings.map(({ logLikelihood }) => logLikelihood === best),
      );
    });
  },
);

test.each(['mistral', 'phi3-longrope', 'llama-dynamic', 'qwen2', 'qwen3-windowed', 'gemma2', 'gemma3'])(
  'a rating of %s is that of its text alone, where what a token sees changes with its place or its text',
  async (family) => {
    await openTensorBackend({ backend: 'cpu' });
    const model = await openLanguageModel(fixture(`families/${family}`));
    const few = (length: number) => tokens(length).map((token) => token % 31);
    const choices = [4, 13, 30].map((length) => ({
      id: `${length}`,
      context: few(length),
      continuations: [few(1), few(3), few(5)],
      shared: length,
    }));
    const texts = choices.flatMap(({ id, context, continuations }) =>
      continuations.map((continuation, index) => ({
        id: `${id} ${index}`,
        tokens: Int32Array.of(...context, ...continuation),
        from: context.length,
      })),
    );
    const alone = new Map<string, number>();
    for await (const { id, logLikelihood } of textLogLikelihoods({ model, texts, batchSize: 1, signal }))
      alone.set(id, logLikelihood);
    const found = new Map<string, number>();
    for await (const { id, scores } of choiceLogLikelihoods({ model, choices, batchSize: 2, signal }))
      for (const [index, { logLikelihood }] of scores.entries()) found.set(`${id} ${index}`, logLikelihood);
    model.dispose();
    expect([...found].sort()).toEqual([...alone].sort().map(([id, value]) => [id, expect.closeTo(value, 4)]));
  },
);
