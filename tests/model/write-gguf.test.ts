import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { type GgufValue, plainValue, writeGguf } from '../../src/formats/gguf/write-gguf.ts';
import type { ModelFolder } from '../../src/model/folder/model-folder.ts';
import { ggufModel } from '../../src/model/gguf/gguf-model.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { tensorFormat } from '../../src/model/gguf/quantization-mix.ts';
import { parameterLayout, parseModelConfig } from '../../src/model/model-config.ts';
import { ggufTokenizer, writeGgufTokenizer } from '../../src/text/tokenizer/gguf-tokenizer.ts';
import { ggufVocabulary } from '../../src/text/tokenizer/gguf-vocabulary.ts';
import mixes from '../fixtures/model/gguf/mixes.json' with { type: 'json' };

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model/gguf', name);
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gguf-'));
});
afterAll(() => rm(root, { recursive: true }));

test('a file has the bytes that the gguf package writes', async () => {
  const path = join(root, 'written.gguf');
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { text: 'none' }],
    ['count', { uint32: 4_000_000_000 }],
    ['epsilon', { float32: 1e-5 }],
    ['yes', { flag: true }],
    ['no', { flag: false }],
    ['words', { texts: ['one', 'zwölf', ''] }],
    ['types', { int32s: [1, -3] }],
  ]);
  const read = async () => Float32Array.from({ length: 64 }, (_, index) => index - 20);
  const shapes = { vector: [3], matrix: [2, 32], cube: [2, 2, 16] };
  await writeGguf(path, {
    metadata,
    tensors: [
      { name: 'vector', format: 'F32', shape: shapes.vector, read: async () => (await read()).slice(0, 3) },
      { name: 'matrix', format: 'Q8_0', shape: shapes.matrix, read },
      { name: 'cube', format: 'F16', shape: shapes.cube, read },
    ],
  });
  expect(await readFile(path)).toEqual(await readFile(fixture('written.gguf')));
});

describe.each(['llama', 'qwen2', 'phi3', 'gpt2'])('a %s model', (name) => {
  test('is written as it was read: configuration, tensors, vocabulary and chat template', async () => {
    const path = fixture(`${name}.gguf`);
    await using source = await openGgufModel(path);
    await writeGgufTokenizer(root, source);
    const vocabulary = await ggufVocabulary({ folder: root, rows: source.config.vocabularySize, ends: [2] });
    expect(vocabulary.notes).toEqual([]);
    const given = { type: 'F32', name, tokenizer: vocabulary.metadata, generation: {} } as const;
    const file = ggufModel({ model: source, ...given });
    const written = join(root, `${name}.gguf`);
    await writeGguf(written, file);
    await using again = await openGgufModel(written);
    expect(again.config).toEqual(source.config);
    for (const parameter of parameterLayout(source.config).keys())
      expect(await again.read(parameter)).toEqual(await source.read(parameter));
    expect(ggufTokenizer(again)).toEqual(ggufTokenizer(source));
  });
});

test('each tensor gets the format that llama.cpp gives it', () => {
  for (const { title, type, tensors, ...model } of mixes)
    for (const [name, [shape, format]] of Object.entries(tensors))
      expect
        .soft([
          title,
          type,
          name,
          tensorFormat({ name, shape: shape as number[] }, { ...model, type: type as 'Q8_0' }),
        ])
        .toEqual([title, type, name, format]);
});

describe('settings of generation become those that llama.cpp starts with', () => {
  test.each<[string, JsonObject, JsonObject]>([
    [
      'sampling',
      { do_sample: true, temperature: 0.6, top_p: 0.9, top_k: 40, min_p: 0.05, repetition_penalty: 1.1 },
      { temp: 0.6, top_p: 0.9, top_k: 40, min_p: 0.05, penalty_repeat: 1.1 },
    ],
    ['no sampling', { do_sample: false, temperature: 0.6 }, { temp: 0 }],
    ['nothing said', { eos_token_id: 2 }, {}],
  ])('%s', async (_, generation, expected) => {
    await using source = await openGgufModel(fixture('llama.gguf'));
    const { metadata } = ggufModel({
      model: source,
      type: 'F32',
      name: 'a',
      tokenizer: new Map(),
      generation,
    });
    const found = [...metadata].flatMap(([key, value]) => {
      const [, name] = /^general\.sampling\.(.+)$/.exec(key) ?? [];
      return name === undefined ? [] : [[name, Object.values(value)[0]]];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });
});

const sizes = {
  max_position_embeddings: 64,
  vocab_size: 320,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};

/** The model of a config.json, whose weights are never read. */
const configured = (json: JsonObject): ModelFolder => ({
  path: 'model',
  config: parseModelConfig('model', { ...sizes, ...json }),
  read: async () => new Float32Array(),
  async [Symbol.asyncDispose]() {},
});

const writtenAs = (json: JsonObject) =>
  ggufModel({
    model: configured(json),
    type: 'F16',
    name: 'a',
    tokenizer: new Map(),
    generation: {},
  });

test.each<[string, JsonObject, JsonObject]>([
  ['linear', { rope_type: 'linear', factor: 2 }, { 'scaling.type': 'linear', 'scaling.factor': 2 }],
  [
    'yarn',
    { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16 },
    { 'scaling.type': 'yarn', 'scaling.factor': 4, 'scaling.original_context_length': 16 },
  ],
])('positions stretched by %s keep their parameters', (_, rope_scaling, expected) => {
  const { metadata } = writtenAs({ model_type: 'llama', rope_scaling });
  const found = [...metadata].flatMap(([key, value]) => {
    const [, name] = /^llama\.rope\.(scaling.+)$/.exec(key) ?? [];
    return name === undefined ? [] : [[name, plainValue(value)]];
  });
  expect(Object.fromEntries(found)).toEqual(expected);
});

test('a sliding window that llama.cpp ignores is a note', () => {
  const { notes } = writtenAs({ model_type: 'mistral', sliding_window: 8 });
  expect(notes).toEqual([
    "llama.cpp ignores the model's sliding window: texts of more than 8 tokens go on differently there",
  ]);
});

describe('a model is refused that a GGUF file would make another one of', () => {
  test.each<[string, JsonObject, string]>([
    [
      'positions stretched by the length of a text',
      { model_type: 'llama', rope_scaling: { rope_type: 'dynamic', factor: 2 } },
      'which llama.cpp does not',
    ],
    [
      'a ramp between broken pairs',
      { model_type: 'qwen2', rope_scaling: { rope_type: 'yarn', factor: 2, truncate: false } },
      'for which GGUF has no place',
    ],
    [
      'no caps',
      { model_type: 'gemma2', attn_logit_softcapping: null },
      'llama.cpp always caps the scores and logits of Gemma 2',
    ],
    [
      'a head of its own',
      { model_type: 'gemma2', tie_word_embeddings: false },
      'llama.cpp takes the token embedding as the head of Gemma 2, and this model has another',
    ],
    [
      'other layers with a window',
      { model_type: 'gemma2', num_hidden_layers: 2, layer_types: ['full_attention', 'sliding_attention'] },
      'has no place for its `windows`',
    ],
  ])('%s', (_, json, message) => {
    expect(() => writtenAs(json)).toThrow(message);
  });

  test.each([
    ['F16', 70_000, '`token_embd.weight` holds 70000, which F16 cannot store'],
    ['Q8_0', Number.NaN, '`token_embd.weight` holds NaN, which F16 cannot store'],
  ] as const)('weights that %s cannot hold', async (type, value, message) => {
    await using source = await openGgufModel(fixture('llama.gguf'));
    const model = { ...source, read: async (name: string) => (await source.read(name)).fill(value) };
    const file = ggufModel({ model, type, name: 'a', tokenizer: new Map(), generation: {} });
    await expect(writeGguf(join(root, 'large.gguf'), file)).rejects.toThrow(message);
  });
});
