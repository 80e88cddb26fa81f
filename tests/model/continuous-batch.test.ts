import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/core/random-stream.ts';
import { elementCount } from '../../src/formats/safetensors/floats.ts';
import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { ContinuousBatch } from '../../src/model/generation/continuous-batch.ts';
import { decodeRows } from '../../src/model/generation/decode.ts';
import type { DecodingRow } from '../../src/model/generation/decoding-batch.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { parameterLayout, parseModelConfig } from '../../src/model/model-config.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const contextLength = 400;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'continuous-'));
  await mkdir(join(folder, 'model'));
  const config = parseModelConfig('made up', {
    ...{ model_type: 'llama', vocab_size: 61, max_position_embeddings: contextLength, num_hidden_layers: 2 },
    ...{ hidden_size: 16, intermediate_size: 20, num_attention_heads: 2, num_key_value_heads: 1 },
  });
  const random = new RandomStream(['continuous']);
  const read = (name: string) =>
    Float32Array.from(
      { length: elementCount(parameterLayout(config).get(name)?.shape ?? []) },
      () => random.normal() / 4,
    );
  await writeModelFolder(join(folder, 'model'), { config, read });
});
afterAll(() => rm(folder, { recursive: true }));

interface GreedyRow extends DecodingRow {
  readonly tokens: number[];
  readonly logits: Float32Array[];
}

/** A row that takes the likeliest token, a given number of times. */
function greedyRow(prompt: readonly number[], length: number): GreedyRow {
  const tokens: number[] = [];
  const logits: Float32Array[] = [];
  return {
    prompt: Int32Array.from(prompt),
    tokens,
    logits,
    next: (seen) => {
      logits.push(seen.slice());
      const token = seen.indexOf(seen.reduce((most, logit) => Math.max(most, logit)));
      tokens.push(token);
      return tokens.length < length ? token : undefined;
    },
  };
}

/** Outgrows its 256 slots. */
const long = () =>
  greedyRow(
    new Array(248).fill(0).map((_, index) => (7 * index) % 61),
    20,
  );

/** Steps until all rows have ended; `arrivals`: before which step the other rows come. */
async function runBatch(model: LanguageModel, arrivals: ReadonlyMap<number, readonly DecodingRow[]>) {
  using batch = new ContinuousBatch<DecodingRow>({ model, batchSize: 3, longest: contextLength });
  const last = Math.max(...arrivals.keys());
  const ended: DecodingRow[] = [];
  for (let step = 0; step <= last || batch.active + batch.waiting > 0; step++) {
    for (const row of arrivals.get(step) ?? []) batch.add(row);
    ended.push(...(await batch.step()));
  }
  return ended;
}

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  test('every bit of a row is the same alone and beside rows that come and go, also when it gets more slots', async () => {
    await openTensorBackend({ backend });
    const model = await openLanguageModel(join(folder, 'model'));
    const alone = long();
    await runBatch(model, new Map([[0, [alone]]]));
    const among = long();
    const other = (length: number, prompt: readonly number[]) => greedyRow(prompt, length);
    const ended = await runBatch(
      model,
      new Map([
        [0, [other(8, [1, 2, 3]), other(25, [4])]],
        [2, [among, other(5, [60, 59, 58, 57])]],
        [14, [other(12, new Array(250).fill(5)), other(3, new Array(300).fill(2)), other(1, [33])]],
      ]),
    );
    expect(ended).toHaveLength(7);
    expect(among.tokens).toEqual(alone.tokens);
    expect(among.logits).toEqual(alone.logits);
    model.dispose();
  });

  test('a row gets the logits that generate gives it in its own batches, bit for bit', async () => {
    await openTensorBackend({ backend });
    const model = await openLanguageModel(join(folder, 'model'));
    const [served, generated] = [long(), long()];
    await runBatch(model, new Map([[0, [served]]]));
    const decoding = {
      ...{
        model,
        rows: [generated],
        batchSize: 3,
        paddedLength: (tokens: number) => 8 * Math.ceil(tokens / 8),
      },
      ...{ slots: 320, signal: new AbortController().signal },
    };
    for await (const row of decodeRows(decoding)) expect(row).toBe(generated);
    expect(served.logits).toEqual(generated.logits);
    model.dispose();
  });
});

test('no tensor is left when all rows have ended, and a row that has not begun can be taken out', async () => {
  await openTensorBackend({ backend: 'cpu' });
  const model = await openLanguageModel(join(folder, 'model'));
  const before = tf.memory().numTensors;
  using batch = new ContinuousBatch<GreedyRow>({ model, batchSize: 1, longest: contextLength });
  const [first, second, third] = [greedyRow([1], 2), greedyRow([2], 2), greedyRow([3], 1)];
  for (const row of [first, second, third]) batch.add(row);
  expect([batch.active, batch.waiting]).toEqual([0, 3]);
  expect(await batch.step()).toEqual([first]);
  expect([batch.remove(second), batch.remove(first), batch.waiting]).toEqual([true, false, 1]);
  expect(await batch.step()).toEqual([third]);
  expect([batch.active, batch.waiting, second.tokens]).toEqual([0, 0, []]);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
