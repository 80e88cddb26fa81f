import { readdir, readFile, rename } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { openSafetensors } from '../../../src/formats/safetensors/open-safetensors.ts';
import { writeSafetensors } from '../../../src/formats/safetensors/write-safetensors.ts';
import { openModelFolder } from '../../../src/model/folder/model-folder.ts';
import { loadStage } from '../../../src/stages/load/load-stage.ts';
import * as load from '../../../src/stages/load/run-load.ts';
import { openTokenizer } from '../../../src/text/tokenizer/open-tokenizer.ts';
import { openStageRig } from '../stage-rig.ts';

const wordLevel = fileURLToPath(new URL('../../fixtures/text/word-level.tokenizer.json', import.meta.url));
const init = {
  family: 'gpt2',
  context_length: 8,
  width: 4,
  layers: 1,
  heads: 2,
  tied: true,
  seed: 1,
  tokenizer: wordLevel,
};
const outputs = { model: 'model', tokenizer: 'tokenizer' };

test('init makes a model as large as its tokenizer, the same bytes for the same seed', async () => {
  await using rig = await openStageRig();
  await rig.run(load, { config: { type: 'auto', init }, outputs });
  await rig.run(load, {
    config: { type: 'auto', init },
    outputs: { model: 'again', tokenizer: 'tokenizer-again' },
  });
  const tokenizer = await openTokenizer(rig.path('tokenizer'));
  await using model = await openModelFolder(rig.path('model'));
  expect(model.config.json).toMatchObject({
    model_type: 'gpt2',
    vocab_size: tokenizer.vocabularySize,
    n_positions: 8,
  });
  expect((await readdir(rig.path('model'))).sort()).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer.json',
  ]);
  expect(await readFile(rig.path('again/model.safetensors'))).toEqual(
    await readFile(rig.path('model/model.safetensors')),
  );
});

test('a tied head that the file has too is ignored if it is a copy, else used, with a warning', async () => {
  await using rig = await openStageRig();
  await rig.run(load, { config: { type: 'auto', init }, outputs: { model: 'from', tokenizer: 'unused' } });
  await using source = await openSafetensors(rig.path('from/model.safetensors'));
  const embedding = await source.readFloat32('transformer.wte.weight');
  const rewrite = async (head: Float32Array) => {
    const shape = source.tensors.get('transformer.wte.weight')?.shape ?? [];
    const tensors = [...source.tensors].map(([name, { shape }]) => ({
      ...{ name, dtype: 'F32' as const, shape },
      read: () => source.readFloat32(name),
    }));
    const own = { name: 'lm_head.weight', dtype: 'F32' as const, shape, read: () => head };
    await writeSafetensors(rig.path('weights'), { tensors: [...tensors, own] });
    await rename(rig.path('weights'), rig.path('from/model.safetensors'));
  };
  const config = { type: 'auto', model: rig.path('from'), untie_head: false };

  await rewrite(embedding);
  await rig.run(load, { config, outputs: { model: 'copy', tokenizer: 'a' } });
  await using copy = await openModelFolder(rig.path('copy'));
  expect([copy.config.tied, rig.reports]).toEqual([true, []]);

  const other = embedding.map((value) => value + 1);
  await rewrite(other);
  await rig.run(load, { config, outputs: { model: 'other', tokenizer: 'b' } });
  expect(rig.reports).toEqual([
    {
      type: 'note',
      level: 'warning',
      message:
        'config.json ties `lm_head.weight` to `transformer.wte.weight`, but the file has both with different values: both are used, untied',
    },
  ]);
  await using untied = await openModelFolder(rig.path('other'));
  expect(untied.config).toMatchObject({ tied: false, notes: [] });
  expect(await untied.read('lm_head.weight')).toEqual(other);
  expect(await untied.read('transformer.wte.weight')).toEqual(embedding);
});

test('a model’s folder is copied with its tokenizer and what other programs read, and nothing else', async () => {
  await using rig = await openStageRig();
  const config = {
    type: 'auto',
    init: { ...init, tokenizer: undefined, encoding: 'r50k_base' } as unknown as JsonObject,
  };
  await rig.run(load, { config, outputs: { model: 'from', tokenizer: 'unused' } });
  await rig.write('from/README.md', 'not a part of the model');
  await rig.write('from/generation_config.json', '{"eos_token_id":[1,2]}');
  await rig.write('from/special_tokens_map.json', '{"eos_token":"a"}');
  await rig.run(load, { config: { type: 'auto', model: rig.path('from') }, outputs });
  expect((await readdir(rig.path('model'))).sort()).toEqual([
    'config.json',
    'encoding.json',
    'generation_config.json',
    'model.safetensors',
    'special_tokens_map.json',
  ]);
  expect(await readdir(rig.path('tokenizer'))).toEqual(['encoding.json']);
  expect(await readFile(rig.path('model/model.safetensors'))).toEqual(
    await readFile(rig.path('from/model.safetensors')),
  );
});

test('an untied head starts as a copy of the token embedding', async () => {
  await using rig = await openStageRig();
  await rig.run(load, { config: { type: 'auto', init }, outputs: { model: 'from', tokenizer: 'unused' } });
  await rig.write('from/generation_config.json', '{"eos_token_id":[1,2]}');
  await rig.run(load, { config: { type: 'auto', model: rig.path('from'), untie_head: true }, outputs });
  await using tied = await openModelFolder(rig.path('from'));
  await using untied = await openModelFolder(rig.path('model'));
  expect([tied.config.tied, untied.config.tied]).toEqual([true, false]);
  expect(await untied.read('lm_head.weight')).toEqual(await tied.read('transformer.wte.weight'));
  expect(await readdir(rig.path('model'))).toEqual(
    expect.arrayContaining(['generation_config.json', 'tokenizer.json']),
  );
});

test('a model behind an endpoint is its name alone', async () => {
  await using rig = await openStageRig();
  await rig.run(load, { config: { type: 'auto', model: 'openai:gpt-4o-mini' }, outputs: { model: 'model' } });
  expect(await readdir(rig.path('model'))).toEqual(['endpoint.json']);
  expect(JSON.parse(await readFile(rig.path('model/endpoint.json'), 'utf8'))).toEqual({
    provider: 'openai',
    model: 'gpt-4o-mini',
  });
});

test('a folder that holds no model is an error that names what is missing', async () => {
  await using rig = await openStageRig();
  const run = rig.run(load, { config: { type: 'auto', model: rig.folder }, outputs });
  await expect(run).rejects.toMatchObject({
    name: 'UserError',
    message: `${rig.path('config.json')} is missing or cannot be read`,
    help: 'a model is a folder with config.json and model.safetensors',
  });
});

test('a tokenizer with more tokens than its model is an error', async () => {
  await using rig = await openStageRig();
  await rig.run(load, { config: { type: 'auto', init }, outputs: { model: 'from', tokenizer: 'unused' } });
  await rig.write('from/encoding.json', '{"encoding":"r50k_base"}');
  const run = rig.run(load, { config: { type: 'auto', model: rig.path('from') }, outputs });
  await expect(run).rejects.toMatchObject({
    name: 'UserError',
    code: 'vocabulary-mismatch',
    message: `the tokenizer in ${rig.path('from')} has 50257 tokens, its model 21`,
  });
});

test('a vocabulary smaller than the tokenizer’s is an error', async () => {
  await using rig = await openStageRig();
  const run = rig.run(load, { config: { type: 'auto', init: { ...init, vocabulary_size: 3 } }, outputs });
  await expect(run).rejects.toMatchObject({
    name: 'UserError',
    code: 'vocabulary-too-small',
    message: 'vocabulary_size 3 is less than the 21 tokens of the tokenizer',
  });
});

describe('check', () => {
  const sizes = { family: 'gpt2', context_length: 8, width: 4, layers: 1, heads: 2, tied: true, seed: 0 };
  test.each<[JsonObject, string[]]>([
    [{ records: 'a.json', fields: {} }, []],
    [{ model: 'openai:gpt-4o' }, []],
    [{ init: { ...sizes, encoding: 'r50k_base' } }, []],
    [{}, [' nothing-to-load: there is nothing to load']],
    [
      { records: 'a', model: 'b' },
      ['/model two-things-to-load: `records` and `model` cannot be loaded by one stage'],
    ],
    [{ model: 'b', limit: 3 }, ['/limit unheeded-field: `limit` means nothing where a model is loaded']],
    [{ records: 'hf:tatsu-lab/alpaca' }, ['/records no-file-named: `hf:tatsu-lab/alpaca` is a whole model']],
    [{ model: 'https://x/y' }, []],
    [{ model: 'hf:datasets/a/b' }, ['/model dataset-for-model: `hf:datasets/a/b` is a dataset, not a model']],
    [{ model: 'ftp://x/y' }, ['/model unknown-scheme: `ftp:` addresses cannot be loaded']],
    [{ model: 'openai:' }, ['/model bad-address: `openai:` names no model']],
    [{ init: sizes }, ['/init one-tokenizer: the model has no tokenizer']],
    [
      { init: { ...sizes, heads: 3, encoding: 'r50k_base', tokenizer: 't' } },
      [
        '/init/heads uneven-heads: a width of 4 cannot be divided evenly among 3 heads',
        '/init one-tokenizer: `encoding` and `tokenizer` exclude each other',
      ],
    ],
  ])('%j', (config, problems) => {
    const found = loadStage.check?.({ type: 'auto', ...config }) ?? [];
    expect(found.map(({ pointer, code, message }) => `${pointer} ${code}: ${message}`)).toEqual(problems);
  });

  test('the outputs follow from the configuration', () => {
    const outputsOf = (config: JsonObject) =>
      Object.keys(loadStage.ports({ type: 'auto', ...config }).outputs);
    expect([{ records: 'a' }, { model: 'b' }, { model: 'openai:c' }, { init: sizes }].map(outputsOf)).toEqual(
      [['records'], ['model', 'tokenizer'], ['model'], ['model', 'tokenizer']],
    );
  });
});
