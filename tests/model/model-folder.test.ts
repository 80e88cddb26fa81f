import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import { writeSafetensors } from '../../src/formats/safetensors/write-safetensors.ts';
import { openModelFolder, untiedModel, writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { initialModel } from '../../src/model/initial-model.ts';
import { openLanguageModel, saveLanguageModel } from '../../src/model/language-model.ts';
import { parameterLayout } from '../../src/model/model-config.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model', name);
let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'model-folder-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'model-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('a model folder', () => {
  test.each(['tiny-gpt2', 'tiny-gpt2-tied', 'tiny-llama'])(
    '%s is saved with the bytes it was loaded from',
    async (name) => {
      await openTensorBackend({ backend: 'cpu' });
      const model = await openLanguageModel(fixture(name));
      await saveLanguageModel(folder, model);
      model.dispose();
      const weights = 'model.safetensors';
      expect(await digest(join(folder, weights))).toBe(await digest(join(fixture(name), weights)));
      expect(await readJson(join(folder, 'config.json'))).toEqual(
        await readJson(join(fixture(name), 'config.json')),
      );
    },
  );

  test.each(['tiny-llama-tied', 'families/phi3', 'families/qwen2'])(
    '%s, stored in bfloat16, is saved in float32 under the names it had, and says so',
    async (name) => {
      await openTensorBackend({ backend: 'cpu' });
      const model = await openLanguageModel(fixture(name));
      await saveLanguageModel(folder, model);
      model.dispose();
      expect(await readJson(join(folder, 'config.json'))).toMatchObject({ dtype: 'float32' });
      await using saved = await openModelFolder(folder);
      await using original = await openModelFolder(fixture(name));
      for (const name of parameterLayout(original.config).keys())
        expect(await saved.read(name)).toEqual(await original.read(name));
      const namesIn = async (path: string) => {
        await using file = await openSafetensors(join(path, 'model.safetensors'));
        return [...file.tensors.keys()].sort();
      };
      expect(await namesIn(folder)).toEqual(await namesIn(fixture(name)));
    },
  );

  test('may name its tensors without the prefix, keep old causal masks, and repeat a tied head', async () => {
    await rewriteTied({ head: (embedding) => embedding });
    await using renamed = await openModelFolder(folder);
    await using original = await openModelFolder(fixture('tiny-gpt2-tied'));
    for (const name of parameterLayout(original.config).keys())
      expect(await renamed.read(name)).toEqual(await original.read(name));
  });

  test('with a tied head becomes one with a separate head that computes the same', async () => {
    await using tied = await openModelFolder(fixture('tiny-gpt2-tied'));
    await writeModelFolder(folder, untiedModel(tied));
    await using untied = await openModelFolder(folder);
    expect(untied.config).toMatchObject({ tied: false, layers: 2 });
    for (const name of parameterLayout(tied.config).keys())
      expect(await untied.read(name)).toEqual(await tied.read(name));
    expect(await untied.read('lm_head.weight')).toEqual(await tied.read('transformer.wte.weight'));
  });

  test('that is tied, but has another head in its file, is used with both and says so', async () => {
    await rewriteTied({ head: (embedding) => embedding.map((value) => value + 1) });
    await using untied = await openModelFolder(folder);
    await using original = await openModelFolder(fixture('tiny-gpt2-tied'));
    const embedding = await original.read('transformer.wte.weight');
    expect(untied.config).toMatchObject({
      tied: false,
      json: { tie_word_embeddings: false },
      notes: [
        'config.json ties `lm_head.weight` to `transformer.wte.weight`, but the file has both with different values: both are used, untied',
      ],
    });
    expect(await untied.read('transformer.wte.weight')).toEqual(embedding);
    expect(await untied.read('lm_head.weight')).toEqual(embedding.map((value) => Math.fround(value + 1)));
  });

  test('may name the tensors of a Llama without the prefix, and keep old angles', async () => {
    await cp(fixture('tiny-llama-tied/config.json'), join(folder, 'config.json'));
    await using source = await openSafetensors(join(fixture('tiny-llama-tied'), 'model.safetensors'));
    const buffers = [
      'rotary_emb.inv_freq',
      'layers.0.self_attn.rotary_emb.inv_freq',
      'layers.0.self_attn.rotary_emb.cos_cached',
      'layers.1.self_attn.rotary_emb.sin_cached',
    ];
    const tensors = [...source.tensors].map(([name, { shape }]) => ({
      name: name.replace(/^model\./, ''),
      dtype: 'F32' as const,
      shape,
      read: () => source.readFloat32(name),
    }));
    const read = () => new Float32Array(4);
    await writeSafetensors(join(folder, 'model.safetensors'), {
      tensors: [...tensors, ...buffers.map((name) => ({ name, dtype: 'F32' as const, shape: [4], read }))],
    });
    await using renamed = await openModelFolder(folder);
    await using original = await openModelFolder(fixture('tiny-llama-tied'));
    for (const name of parameterLayout(original.config).keys())
      expect(await renamed.read(name)).toEqual(await original.read(name));
  });

  test('may be in shards that its index names', async () => {
    await cp(fixture('tiny-gpt2'), folder, { recursive: true });
    await splitIntoShards();
    await using sharded = await openModelFolder(folder);
    await using original = await openModelFolder(fixture('tiny-gpt2'));
    for (const name of parameterLayout(original.config).keys())
      expect(await sharded.read(name)).toEqual(await original.read(name));
  });

  test('may not name a shard outside itself', async () => {
    await cp(fixture('tiny-gpt2'), folder, { recursive: true });
    const index = join(folder, 'model.safetensors.index.json');
    await writeFile(index, JSON.stringify({ weight_map: { a: '../other.safetensors' } }));
    await expect(openModelFolder(folder)).rejects.toThrow(
      `${index} names the file "../other.safetensors": the name of a .safetensors file without a folder is needed`,
    );
  });

  const problems: readonly (readonly [string, JsonObject, string])[] = [
    ['another family', { model_type: 'bert' }, 'has the model_type "bert"'],
    ['a misspelt field', { n_layers: 2 }, 'has 2 as `n_layers`: this field is not supported'],
    [
      'another activation',
      { activation_function: 'relu' },
      'only "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" or "gelu_accurate" is supported',
    ],
    [
      'attention that is scaled by layer',
      { scale_attn_by_inverse_layer_idx: true },
      'only false is supported',
    ],
    ['heads that do not divide the width', { n_head: 3 }, 'has 3 as `n_head`: it does not divide n_embd, 16'],
    ['no layers', { n_layer: 0 }, 'has 0 as `n_layer`: a whole number between 1 and'],
    ['more layers than weights', { n_layer: 3 }, 'has no tensor `transformer.h.2.ln_1.weight`'],
    ['fewer layers than weights', { n_layer: 1 }, 'has the tensor `transformer.h.1.attn.c_attn.bias`, which'],
    ['another vocabulary', { vocab_size: 62 }, 'of shape [61,16], but config.json asks for [62,16]'],
  ];
  test.each(problems)('with %s is refused before its weights are read', async (_title, change, problem) => {
    await cp(fixture('tiny-gpt2'), folder, { recursive: true });
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify({ ...(await readJson(path)), ...change }));
    await expect(openModelFolder(folder)).rejects.toThrow(problem);
  });
});

describe('an initial model', () => {
  const sizes = {
    vocabularySize: 500,
    contextLength: 64,
    hiddenSize: 64,
    layers: 2,
    heads: 2,
    endOfText: 499,
  };
  const initial = (seed: number) => initialModel({ family: 'gpt2', ...sizes, tied: false, seed });

  test('has the same bytes for the same seed and others for another', async () => {
    const digestOf = async (name: string, seed: number) => {
      await writeModelFolder(join(folder, name), initial(seed));
      return digest(join(folder, name, 'model.safetensors'));
    };
    const first = await digestOf('a', 1);
    expect(await digestOf('b', 1)).toEqual(first);
    expect(await digestOf('c', 2)).not.toEqual(first);
  });

  test('has the moments of GPT-2: deviation 0.02, residual projections divided by the root of twice the layers', async () => {
    await writeModelFolder(folder, initial(3));
    await using model = await openModelFolder(folder);
    const deviation = async (name: string) => {
      const values = await model.read(name);
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    };
    expect(await deviation('transformer.wte.weight')).toBeCloseTo(0.02, 3);
    expect(await deviation('lm_head.weight')).toBeCloseTo(0.02, 3);
    expect(await deviation('transformer.h.1.attn.c_attn.weight')).toBeCloseTo(0.02, 3);
    expect(await deviation('transformer.h.1.mlp.c_proj.weight')).toBeCloseTo(0.01, 3);
    expect(await model.read('transformer.h.0.ln_2.weight')).toEqual(new Float32Array(64).fill(1));
    expect(await model.read('transformer.h.0.mlp.c_fc.bias')).toEqual(new Float32Array(256));
  });
});

async function digest(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

async function readJson(path: string): Promise<JsonObject> {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** Writes the tied model with GPT2Model's names, a causal mask and a separate head. */
async function rewriteTied({ head }: { head: (embedding: Float32Array) => Float32Array }): Promise<void> {
  await cp(join(fixture('tiny-gpt2-tied'), 'config.json'), join(folder, 'config.json'));
  await using source = await openSafetensors(join(fixture('tiny-gpt2-tied'), 'model.safetensors'));
  const tensors = [...source.tensors].map(([name, { shape }]) => ({
    name: name.replace('transformer.', ''),
    dtype: 'F32' as const,
    shape,
    read: () => source.readFloat32(name),
  }));
  const embedding = await source.readFloat32('transformer.wte.weight');
  await writeSafetensors(join(folder, 'model.safetensors'), {
    tensors: [
      ...tensors,
      { name: 'h.0.attn.bias', dtype: 'U8', shape: [1, 1, 24, 24], read: () => new Uint8Array(576) },
      { name: 'lm_head.weight', dtype: 'F32', shape: [61, 16], read: () => head(embedding) },
    ],
  });
}

async function splitIntoShards(): Promise<void> {
  const whole = join(folder, 'model.safetensors');
  const weightMap: Record<string, string> = {};
  await using source = await openSafetensors(whole);
  for (const shard of [0, 1]) {
    const file = `model-0000${shard + 1}-of-00002.safetensors`;
    const names = [...source.tensors.keys()].filter((_, index) => index % 2 === shard);
    for (const name of names) weightMap[name] = file;
    const tensors = names.map((name) => ({
      name,
      dtype: 'F32' as const,
      shape: source.tensors.get(name)?.shape ?? [],
      read: () => source.readFloat32(name),
    }));
    await writeSafetensors(join(folder, file), { tensors });
  }
  await rm(whole);
  await writeFile(`${whole}.index.json`, JSON.stringify({ metadata: {}, weight_map: weightMap }));
}
