import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/core/random-stream.ts';
import { elementCount } from '../../src/formats/safetensors/floats.ts';
import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { ContinuousBatch } from '../../src/model/generation/continuous-batch.ts';
import { type DecodingRow, decodeRows } from '../../src/model/generation/decode.ts';
import { promptLength } from '../../src/model/generation/lengths.ts';
import { type LanguageModel, openLanguageModel, quantizeWeights } from '../../src/model/language-model.ts';
import { parameterLayout, parseModelConfig } from '../../src/model/model-config.ts';
import { openTensorBackend, type WeightPrecision } from '../../src/tensor/index.ts';

const sizes = { vocab_size: 61, hidden_size: 48, num_hidden_layers: 2, max_position_embeddings: 400 };
const heads = { intermediate_size: 53, num_attention_heads: 6, num_key_value_heads: 2 };
const configs = {
  gpt2: { model_type: 'gpt2', vocab_size: 61, n_embd: 48, n_layer: 2, n_head: 6, n_positions: 400 },
  llama: { model_type: 'llama', ...sizes, ...heads },
  // No head of a multiple of eight, so that the cache is read by formula.
  'a llama of odd sizes': {
    model_type: 'llama',
    ...sizes,
    ...heads,
    hidden_size: 30,
    num_attention_heads: 3,
    num_key_value_heads: 1,
  },
  'a windowed llama': { model_type: 'mistral', ...sizes, ...heads, sliding_window: 20 },
  'a llama whose keys depend on the length of the text': {
    ...{ model_type: 'llama', ...sizes, ...heads, max_position_embeddings: 100 },
    rope_scaling: { rope_type: 'dynamic', factor: 4 },
  },
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prefixes-'));
  for (const [name, fields] of Object.entries(configs)) {
    const config = parseModelConfig(name, fields);
    const random = new RandomStream([name]);
    const read = (parameter: string) =>
      Float32Array.from(
        { length: elementCount(parameterLayout(config).get(parameter)?.shape ?? []) },
        () => random.normal() / 5,
      );
    await mkdir(join(folder, name));
    await writeModelFolder(join(folder, name), { config, read });
  }
});
afterAll(() => rm(folder, { recursive: true }));

interface Row extends DecodingRow {
  readonly logits: Float32Array[];
}

/** A row that writes the likeliest token, a given number of times. */
function greedyRow(prompt: readonly number[], length: number): Row {
  const logits: Float32Array[] = [];
  const next = (seen: Float32Array): number | undefined => {
    logits.push(seen.slice());
    return logits.length < length ? seen.indexOf(Math.max(...seen)) : undefined;
  };
  return { prompt: Int32Array.from(prompt), logits, next };
}

const random = new RandomStream(['prompts']);
const someTokens = (count: number) => Array.from({ length: count }, () => Math.floor(61 * random.uniform()));
const template = someTokens(70);

/** Twenty prompts: most begin alike, some of these share more, and two share nothing. */
const prompts = Array.from({ length: 20 }, (_, index) => {
  if (index % 9 === 4) return someTokens(3 + index);
  const shared = template.slice(0, index % 3 === 0 ? 70 : 41);
  return [...shared, ...someTokens(1 + ((7 * index) % 23))];
});

/** Counts the tokens that a model computes and the rows of its passes over one token each. */
function counting(model: LanguageModel) {
  const passes: number[] = [];
  const hidden: LanguageModel['hidden'] = (tokens) => {
    passes.push(tokens.positions.length);
    return model.hidden(tokens);
  };
  return { passes, model: { ...model, hidden } };
}

async function write(model: LanguageModel, rows: readonly Row[], batchSize = 8): Promise<void> {
  const paddedLength = (tokens: number) => promptLength(tokens, model.config.contextLength);
  const { signal } = new AbortController();
  for await (const _ of decodeRows({ model, rows, batchSize, paddedLength, slots: 192, signal }));
}

const newRows = () => prompts.map((prompt, index) => greedyRow(prompt, 2 + (index % 7)));

describe.each<WeightPrecision | 'as they are'>(['float32', 'int8', 'as they are'])(
  'with weights %s',
  (precision) => {
    test.each(Object.keys(configs))(
      'every bit of an answer of %s is the same alone and after a shared prefix',
      async (name) => {
        await openTensorBackend({ backend: 'onnx', threads: 2 });
        const model = await openLanguageModel(join(folder, name));
        const prepared = precision === 'as they are' ? undefined : quantizeWeights(model, precision);
        const alone = newRows();
        for (const row of alone) await write(model, [row]);
        for (const order of [newRows(), newRows().reverse()]) {
          await write(model, order);
          const together = order[0]?.prompt.join() === prompts[0]?.join() ? order : order.toReversed();
          for (const [index, row] of together.entries()) expect(row.logits).toEqual(alone[index]?.logits);
        }
        prepared?.[Symbol.dispose]();
        model.dispose();
      },
    );
  },
);

test('what prompts share is computed once, and steps are as narrow as the rows that are left', async () => {
  await openTensorBackend({ backend: 'onnx', threads: 2 });
  const opened = await openLanguageModel(join(folder, 'gpt2'));
  using _ = quantizeWeights(opened);
  const { model, passes } = counting(opened);
  await write(model, newRows()); // finds out that other shapes give the same bits
  passes.length = 0;
  // Every row but the longest ends with its prompt; steps are then recorded only twice, so that this counts both.
  await write(
    model,
    prompts.map((prompt, index) => greedyRow(prompt, index === 6 ? 3 : 1)),
  );
  const computed = passes.reduce((sum, tokens) => sum + tokens, 0);
  const given = prompts.reduce((sum, { length }) => sum + length, 0);
  expect(computed).toBeLessThan(0.6 * given);
  expect(passes.filter((tokens) => tokens === 1)).toHaveLength(2);
  opened.dispose();
});

test('a request that comes later is computed after what earlier ones share', async () => {
  await openTensorBackend({ backend: 'onnx', threads: 2 });
  const opened = await openLanguageModel(join(folder, 'llama'));
  using _ = quantizeWeights(opened);
  const { model, passes } = counting(opened);
  using batch = new ContinuousBatch<Row>({ model, batchSize: 2, longest: 400 });
  const computed: number[] = [];
  const ask = async () => {
    const before = passes.length;
    batch.add(greedyRow([...template, ...someTokens(9)], 1));
    while (batch.active + batch.waiting > 0) await batch.step();
    computed.push(passes.slice(before).reduce((sum, tokens) => sum + tokens, 0));
  };
  for (let request = 0; request < 6; request++) await ask();
  expect(computed.at(-1)).toBeLessThan(20);
  expect(computed[0]).toBeGreaterThan(79);
  opened.dispose();
});

test('where every size is compiled, and where keys depend on the length of the text, each prompt is computed whole', async () => {
  await openTensorBackend({ backend: 'cpu' });
  for (const [backend, name] of [
    ['cpu', 'gpt2'],
    ['onnx', 'a llama whose keys depend on the length of the text'],
  ] as const) {
    await openTensorBackend({ backend });
    const opened = await openLanguageModel(join(folder, name));
    const { model, passes } = counting(opened);
    await write(
      model,
      prompts.slice(0, 3).map((prompt) => greedyRow(prompt, 1)),
      1,
    );
    const given = prompts.slice(0, 3).map(({ length }) => promptLength(length, opened.config.contextLength));
    expect(passes).toEqual(given);
    opened.dispose();
  }
});
