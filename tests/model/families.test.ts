import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openSafetensors, type SafetensorsFile } from '../../src/formats/safetensors/open-safetensors.ts';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { openModelFolder, writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { type DecodingRow, decodeRows } from '../../src/model/generation/decode.ts';
import { generateTexts } from '../../src/model/generation/generate-texts.ts';
import { longestText } from '../../src/model/generation/lengths.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { adamWStep, crossEntropy, openTensorBackend } from '../../src/tensor/index.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const folder = join(import.meta.dirname, '../fixtures/model/families');
const families = readdirSync(folder).sort();
const length = 28;

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeAll(() => openTensorBackend({ backend }));

  test.each(families)(
    '%s has the logits of transformers, also beyond the context of its first training',
    async (name) => {
      await using opened = await openFamily(name);
      const { model, expected, ids } = opened;
      const logits = tf.tidy(() =>
        model.logits(model.hidden(paddedRows(model.config, { ids, batch: 2, length }))),
      );
      expect(largestError(await logits.data(), await expected.readFloat32('logits'))).toBeLessThan(1e-4);
      logits.dispose();
    },
  );
});

describe('on the onnx backend', () => {
  beforeAll(() => openTensorBackend({ backend: 'onnx' }));

  test.each(families)(
    '%s has the gradients and the losses of 20 steps of AdamW that PyTorch has',
    async (name) => {
      await using opened = await openFamily(name);
      const { model, expected } = opened;
      const moments = new Map(
        [...model.parameters].map(([name, { size }]) => [
          name,
          [new Float32Array(size), new Float32Array(size)],
        ]),
      );
      const losses: number[] = [];
      for (let step = 1; step <= 20; step++) {
        const { loss, gradients } = await lossAndGradients(opened);
        losses.push(loss);
        if (step === 1)
          for (const [name, gradient] of gradients) {
            const error = relativeError(gradient, await expected.readFloat32(`gradient:${name}`));
            expect([name, error < 1e-5]).toEqual([name, true]);
          }
        for (const [name, variable] of model.parameters) {
          const [firstMoment = new Float32Array(), secondMoment = new Float32Array()] =
            moments.get(name) ?? [];
          const parameter = (await variable.data<'float32'>()).slice();
          const gradient = gradients.get(name) ?? new Float32Array();
          adamWStep({ parameter, gradient, firstMoment, secondMoment }, { ...adamW, step });
          tf.tidy(() => variable.assign(tf.tensor(parameter, variable.shape)));
        }
      }
      expect(largestError(losses, await expected.readFloat32('losses'))).toBeLessThan(1e-3);
    },
  );

  test.each(families)('%s continues greedily, token for token, as transformers does', async (name) => {
    await using opened = await openFamily(name);
    const { model, expected, ids } = opened;
    const flat = await expected.readInt32('greedy');
    const answers = Array.from({ length: flat.length / 12 }, (_, row) => [
      ...flat.subarray(12 * row, 12 * row + 12),
    ]);
    const rows = answers.map(([row = 0, tokens = 0]) =>
      greedyRow(ids.slice(row * length, row * length + tokens), 10),
    );
    const decoding = { model, rows, batchSize: 2, paddedLength: () => length, slots: 40 };
    for await (const _row of decodeRows({ ...decoding, signal: new AbortController().signal }));
    expect(rows.map(({ written }) => written)).toEqual(answers.map((answer) => answer.slice(2)));
  });
});

test.each(families)('%s is written with the tensors that transformers wrote', async (name) => {
  const written = await mkdtemp(join(tmpdir(), 'family-'));
  await using source = await openModelFolder(join(folder, name));
  await writeModelFolder(written, source);
  const contents = async (path: string) => {
    const file = await openSafetensors(join(path, 'model.safetensors'));
    const names = [...file.tensors.keys()].sort();
    const values = new Map<string, unknown>();
    for (const name of names)
      values.set(name, { shape: file.tensors.get(name)?.shape, values: await file.readFloat32(name) });
    await file.close();
    return values;
  };
  const expected = await contents(join(folder, name));
  expect(await contents(written)).toEqual(expected);
  await rm(written, { recursive: true });
});

test('a text in which LongRoPE would change its frequencies ends before that', async () => {
  await using opened = await openFamily('phi3-longrope');
  const { config } = opened.model;
  expect([longestText(config, 16), longestText(config, 17)]).toEqual([16, 48]);
  const writing = generateTexts({
    model: opened.model,
    tokenizer: await openTokenizer(join(folder, '../tiny-llama')),
    prompts: [{ id: 'a', text: 'w1 w2 w3 w4 w5 w6 w7 w8 w9 w1 w2 w3' }],
    settings: { maxNewTokens: 5, temperature: 0, topP: 1, seed: 0, stop: [], batchSize: 1 },
    signal: new AbortController().signal,
  });
  await expect(writing.next()).rejects.toMatchObject({
    code: 'context-limit',
    help: 'its LongRoPE rotates texts of more than 16 tokens differently from their first token on, so none may grow past that length: lower `max_new_tokens`, or use prompts that are already longer',
  });
});

const adamW = { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

interface OpenedFamily extends AsyncDisposable {
  readonly model: LanguageModel;
  readonly expected: SafetensorsFile;
  /** Two rows of 28 tokens. */
  readonly ids: Int32Array;
}

async function openFamily(name: string): Promise<OpenedFamily> {
  const expected = await openSafetensors(join(folder, name, 'expected.safetensors'));
  const model = await openLanguageModel(join(folder, name));
  const dispose = async () => {
    model.dispose();
    await expected.close();
  };
  return { model, expected, ids: await expected.readInt32('ids'), [Symbol.asyncDispose]: dispose };
}

async function lossAndGradients({ model, ids }: OpenedFamily) {
  const batch = 2;
  const half = (from: number, to: number) =>
    Int32Array.from([...ids.subarray(from, to), ...ids.subarray(length + from, length + to)]);
  const [inputs, targets] = [half(0, length - 1), half(1, length)];
  const { value, grads } = tf.variableGrads(() => {
    const hidden = model.hidden(paddedRows(model.config, { ids: inputs, batch, length: length - 1 }));
    return tf.reshape<tf.Rank.R0>(
      crossEntropy({ logits: model.logits(hidden), targets: tf.tensor1d(targets, 'int32') }),
      [],
    );
  });
  const gradients = new Map<string, Float32Array>();
  for (const [name, variable] of model.parameters)
    gradients.set(name, (await grads[variable.name]?.data<'float32'>()) ?? new Float32Array());
  const [loss = Number.NaN] = await value.data();
  tf.dispose([value, ...Object.values(grads)]);
  return { loss, gradients };
}

/** A row that takes the likeliest token N times. */
function greedyRow(prompt: Int32Array, tokens: number): DecodingRow & { readonly written: number[] } {
  const written: number[] = [];
  const next = (logits: Float32Array) => {
    const best = logits.indexOf(Math.max(...logits));
    written.push(best);
    return written.length < tokens ? best : undefined;
  };
  return { prompt, written, next };
}

const largestError = (values: ArrayLike<number>, expected: ArrayLike<number>) =>
  Math.max(...Array.from(expected, (value, index) => Math.abs(value - (values[index] ?? Number.NaN))));

/** Of whole tensors: |a - b| / |b|. */
const relativeError = (values: Float32Array, expected: Float32Array) =>
  Math.hypot(...expected.map((value, index) => value - (values[index] ?? Number.NaN))) /
  Math.hypot(...expected);
