import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { UserError } from '../../src/core/user-error.ts';
import { tensorFormatNames, tensorFormats } from '../../src/formats/gguf/blocks.ts';
import { openGguf } from '../../src/formats/gguf/open-gguf.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { openModelFolder, writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { parameterLayout, parseModelConfig } from '../../src/model/model-config.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { dequantizeWeight } from '../../src/tensor/ops/quantize-weight.ts';
import { ggufTokenizer } from '../../src/text/tokenizer/gguf-tokenizer.ts';
import { openJsonTokenizer } from '../../src/text/tokenizer/json-tokenizer.ts';
import expected from '../fixtures/model/gguf/models.json' with { type: 'json' };
import byTransformers from '../fixtures/model/gguf/transformers-models.json' with { type: 'json' };

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model/gguf', name);
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gguf-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('the tensors of a GGUF file', () => {
  test.each(tensorFormatNames)(
    'in %s stand for the numbers that the gguf package reads, bit for bit',
    async (name) => {
      await using file = await openGguf(fixture('blocks.gguf'));
      await using numbers = await openSafetensors(fixture('blocks.safetensors'));
      expect(file.tensors.get(name)?.shape).toEqual(numbers.tensors.get(name)?.shape);
      expect(bits(await file.read(name))).toEqual(bits(await numbers.readFloat32(name)));
    },
  );
});

test.each(tensorFormatNames)(
  'blocks in %s unpacked to whole numbers stand for the numbers that the gguf package reads, bit for bit',
  async (name) => {
    await using file = await openGguf(fixture('blocks.gguf'));
    await using numbers = await openSafetensors(fixture('blocks.safetensors'));
    const [outputs = 0, inputs = 0] = numbers.tensors.get(name)?.shape ?? [];
    const unpacked = await file.readQuantized(name);
    if (tensorFormats[name].values === 1) return expect(unpacked).toBeUndefined();
    if (unpacked === undefined) throw new Error('there are no blocks');
    const widened = dequantizeWeight(unpacked, { inputs, outputs, transposed: true });
    // A zero has no sign in sums.
    const unsigned = (values: Float32Array) => bits(values.map((value) => value + 0));
    expect(unsigned(widened)).toEqual(unsigned(await numbers.readFloat32(name)));
  },
);

test('metadata has the values that were written, a float32 as its shortest decimal', async () => {
  await using file = await openGguf(fixture('blocks.gguf'));
  expect(Object.fromEntries(file.metadata)).toEqual({
    'general.architecture': 'none',
    large: 2 ** 60,
    words: ['one', 'zwölf', ''],
    flags: [true, false],
    epsilon: 1e-5,
    negative: -3,
  });
});

test('a file of version 2 reads as one of version 3', async () => {
  const bytes = await readFile(fixture('blocks.gguf'));
  bytes.writeUInt32LE(2, 4);
  await using old = await openGguf(await save(bytes));
  await using current = await openGguf(fixture('blocks.gguf'));
  expect(old.metadata).toEqual(current.metadata);
  expect(old.tensors).toEqual(current.tensors);
});

describe.each(['llama', 'gpt2'] as const)('a %s model', (name) => {
  test('continues prompts greedily as llama.cpp does', async () => {
    await openTensorBackend({ backend: 'cpu' });
    await using source = await openGgufModel(fixture(`${name}.gguf`));
    const folder = join(root, name);
    await writeModelFolder(folder, source);
    const { tokenizer, config } = ggufTokenizer(source);
    const { encode } = openJsonTokenizer({ path: name, text: JSON.stringify(tokenizer), config });
    const model = await openLanguageModel(folder);
    const continued = expected.prompts.map((prompt) => continueGreedily(model, encode(prompt)));
    model.dispose();
    expect(continued).toEqual(expected.greedy[name]);
  });
});

describe.each(['qwen2', 'phi3'] as const)('a %s model', (name) => {
  test('continues prompts greedily as transformers does with the same file', async () => {
    await openTensorBackend({ backend: 'cpu' });
    await using source = await openGgufModel(fixture(`${name}.gguf`));
    const folder = join(root, name);
    await writeModelFolder(folder, source);
    const model = await openLanguageModel(folder);
    const continued = byTransformers.prompts.map((prompt) =>
      continueGreedily(model, Int32Array.from(prompt)),
    );
    model.dispose();
    expect(continued).toEqual(byTransformers.greedy[name]);
    expect(ggufTokenizer(source).config).toMatchObject({ pad_token: '<|endoftext|>' });
  });
});

/** What llama.cpp's file says of a model in other words, or does not say. */
const different: Readonly<Record<string, JsonObject>> = {
  gemma2: { query_pre_attn_scalar: 16 },
  gemma3: {
    query_pre_attn_scalar: 16,
    rope_local_base_freq: 10_000,
    layer_types: null,
    sliding_window_pattern: 6,
  },
  mixtral: { sliding_window: null },
};

const written = [
  ...['qwen2-yarn', 'qwen3', 'olmo2', 'gpt-neox', 'phi', 'gemma2', 'gemma3'],
  ...['llama-llama3', 'phi3-longrope', 'mixtral', 'qwen3-moe'],
];
test.each(written)('a %s model has the sizes and the parameters that were written', async (name) => {
  await using source = await openGgufModel(fixture(`${name}.gguf`));
  await using folder = await openModelFolder(fixture(`../families/${name}`));
  const expected = parseModelConfig('m', { ...folder.config.json, ...different[name] });
  expect({ ...source.config, json: {}, notes: [] }).toEqual({ ...expected, json: {}, notes: [] });
  for (const parameter of parameterLayout(folder.config).keys()) {
    const [found, wanted] = [await source.read(parameter), await folder.read(parameter)];
    const errors = wanted.map((value, index) => Math.abs(value - (found[index] ?? Number.NaN)));
    expect([parameter, Math.max(...errors) < 1e-6]).toEqual([parameter, true]);
  }
});

describe('a file is refused', () => {
  test.each<[string, (bytes: Buffer) => Buffer, string]>([
    ['that is empty', () => Buffer.alloc(0), 'it does not start with `GGUF`'],
    ['that is something else', () => Buffer.from('PK\x03\x04 and more'), 'it does not start with `GGUF`'],
    ['that is big-endian', (bytes) => set32(bytes, 4, 0x03000000), 'is big-endian'],
    ['of version 1', (bytes) => set32(bytes, 4, 1), 'is GGUF of version 1, not 2 or 3'],
    [
      'that claims too many tensors',
      (bytes) => set64(bytes, 8, 2n ** 63n),
      'it claims 9223372036854776000 tensors',
    ],
    [
      'that claims too many keys',
      (bytes) => set64(bytes, 16, 100_000n),
      'it claims 100000 keys, more than its 7424 bytes',
    ],
    ['with a huge string', (bytes) => set64(bytes, 24, 2n ** 40n), 'it claims 1099511627776 bytes of text'],
    [
      'with a huge array',
      (bytes) => set64(bytes, placeAfter(bytes, 'words', 8), 2n ** 31n),
      'it claims 2147483648 values of `words`',
    ],
    [
      'with an unknown type of value',
      (bytes) => set32(bytes, placeAfter(bytes, 'large', 0), 77),
      '`large` has the unknown type 77',
    ],
    [
      'with an array of arrays',
      (bytes) => set32(bytes, placeAfter(bytes, 'words', 4), 9),
      '`words` has the unknown type 9',
    ],
    [
      'with text that is not UTF-8',
      (bytes) => set32(bytes, bytes.indexOf('none'), 0xffffffff),
      'is not UTF-8',
    ],
    [
      'with a tensor of unknown format',
      (bytes) => set32(bytes, placeAfter(bytes, 'Q8_0', 20), 99),
      'stores the tensor `Q8_0` in format 99',
    ],
    [
      'with a tensor of too many dimensions',
      (bytes) => set32(bytes, placeAfter(bytes, 'Q8_0', 0), 9),
      'tensor `Q8_0` has 9 dimensions',
    ],
    [
      'with a row that is no whole number of blocks',
      (bytes) => set64(bytes, placeAfter(bytes, 'Q8_0', 4), 33n),
      'tensor `Q8_0` has the shape [2,33]',
    ],
    [
      'with an empty dimension',
      (bytes) => set64(bytes, placeAfter(bytes, 'Q8_0', 12), 0n),
      'tensor `Q8_0` has the shape [0,96]',
    ],
    [
      'with a tensor beyond its end',
      (bytes) => set64(bytes, placeAfter(bytes, 'Q8_0', 12), 2n ** 50n),
      'in Q8_0 would end at byte',
    ],
    [
      'with an offset beyond its end',
      (bytes) => set64(bytes, placeAfter(bytes, 'Q8_0', 24), 2n ** 62n),
      'in Q8_0 would end at byte',
    ],
    [
      'with an offset off its alignment',
      (bytes) => set64(bytes, placeAfter(bytes, 'Q8_0', 24), 33n),
      'tensor `Q8_0` starts at 33, which is not a multiple of 32',
    ],
    [
      'with tensors that overlap',
      (bytes) => set64(bytes, placeAfter(bytes, 'F16', 24), 0n),
      'the tensors `F32` and `F16` overlap',
    ],
    [
      'with a name twice',
      (bytes) => write(bytes, bytes.indexOf('Q5_1'), 'Q5_0'),
      'it has the tensor `Q5_0` twice',
    ],
  ])('%s', async (_case, damage, message) => {
    const bytes = await readFile(fixture('blocks.gguf'));
    const path = await save(damage(bytes));
    await expect(openGguf(path)).rejects.toThrow(message);
    await expect(openGguf(path)).rejects.toMatchObject({ name: 'UserError' });
  });

  test('wherever it is truncated', async () => {
    const bytes = await readFile(fixture('blocks.gguf'));
    for (let length = 0; length < bytes.length - 32; length += 13)
      await expect(openGguf(await save(bytes.subarray(0, length)))).rejects.toMatchObject({
        code: 'bad-gguf',
      });
  });
});

describe('a model is refused', () => {
  test.each<[string, (bytes: Buffer) => Buffer, string]>([
    [
      'of an unknown architecture',
      (bytes) => write(bytes, bytes.indexOf('llama'), 'mamba'),
      'has the architecture "mamba"; supported are: llama, qwen2, qwen3, qwen3moe, phi3, olmo2, gptneox, phi2, gemma2, gemma3, gpt2',
    ],
    [
      'with a field that is not supported',
      (bytes) => write(bytes, bytes.indexOf('rope.freq_base'), 'rope.freq_case'),
      'has 10000 as `llama.rope.freq_case`: this field is not supported',
    ],
    [
      'with more layers than tensors',
      (bytes) => set32(bytes, placeAfter(bytes, 'llama.block_count', 4), 1000),
      'claims 1000 layers, but has 21 tensors',
    ],
    [
      'of another size than its metadata says',
      (bytes) => set32(bytes, placeAfter(bytes, 'llama.feed_forward_length', 4), 32),
      'has `blk.0.ffn_gate.weight` of shape [24,16], but its metadata asks for [32,16]',
    ],
    [
      'that lacks a tensor',
      (bytes) => write(bytes, bytes.indexOf('blk.1.ffn_up'), 'blk.7.ffn_up'),
      'lacks the tensor `blk.1.ffn_up.weight`',
    ],
    [
      'with a layer too many',
      (bytes) => set32(bytes, placeAfter(bytes, 'llama.block_count', 4), 1),
      'has the tensor `blk.1.attn_norm.weight`, which is not supported',
    ],
  ])('%s', async (_case, damage, message) => {
    const path = await save(damage(await readFile(fixture('llama.gguf'))));
    await expect(openGgufModel(path)).rejects.toThrow(`${path} ${message}`);
  });
});

test('whatever the bytes of its header are, the file is a model or a user error', async () => {
  const bytes = await readFile(fixture('llama.gguf'));
  await using intact = await openGguf(fixture('llama.gguf'));
  const headerEnd = Math.min(...[...intact.tensors.values()].map(({ begin }) => begin));
  const change = fc.record({ at: fc.nat(headerEnd - 1), byte: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const damaged = Buffer.from(bytes);
      for (const { at, byte } of changes) damaged[at] = byte;
      await openAll(await save(damaged)).catch((error: unknown) => expect(error).toBeInstanceOf(UserError));
    }),
    { numRuns: 300, seed: 5 },
  );
});

async function openAll(path: string): Promise<void> {
  await using model = await openGgufModel(path);
  const { tokenizer, config } = ggufTokenizer(model);
  openJsonTokenizer({ path, text: JSON.stringify(tokenizer), config });
}

async function save(bytes: Buffer): Promise<string> {
  const path = join(root, 'damaged.gguf');
  await writeFile(path, bytes);
  return path;
}

const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The offset N bytes after a name's first occurrence. */
const placeAfter = (bytes: Buffer, name: string, distance: number): number =>
  bytes.indexOf(name) + name.length + distance;

function set32(bytes: Buffer, at: number, value: number): Buffer {
  bytes.writeUInt32LE(value, at);
  return bytes;
}

function set64(bytes: Buffer, at: number, value: bigint): Buffer {
  bytes.writeBigUInt64LE(value, at);
  return bytes;
}

function write(bytes: Buffer, at: number, text: string): Buffer {
  bytes.write(text, at);
  return bytes;
}

/** The twenty likeliest tokens after the prompt, each computed from the whole text before it. */
function continueGreedily(model: LanguageModel, prompt: Int32Array): number[] {
  const ids = Array.from(prompt);
  for (let step = 0; step < 20; step++)
    ids.push(
      tf.tidy(() => {
        const row = { ids: Int32Array.from(ids), batch: 1, length: ids.length };
        const hidden = model.hidden(paddedRows(model.config, row)); // [N, C]
        const last = tf.slice(hidden, [ids.length - 1, 0], [1, -1]);
        return tf.argMax(model.logits(last), 1).dataSync()[0] ?? -1;
      }),
    );
  return ids.slice(prompt.length);
}
