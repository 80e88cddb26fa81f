import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { openModelFolder } from '../../../src/model/folder/model-folder.ts';
import { parameterLayout } from '../../../src/model/model-config.ts';
import { loadStage } from '../../../src/stages/load/load-stage.ts';
import * as load from '../../../src/stages/load/run-load.ts';
import { encodingTokenizerJson } from '../../../src/text/tokenizer/encoding-tokenizer-json.ts';
import { extendTokenizer } from '../../../src/text/tokenizer/extend-tokenizer.ts';
import { openTokenizer } from '../../../src/text/tokenizer/open-tokenizer.ts';
import expected from '../../fixtures/tokens/tokens.json' with { type: 'json' };
import { openStageRig, type StageRig } from '../stage-rig.ts';

const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url));
const { tokens, special } = expected;
const readJson = async (path: string): Promise<JsonObject> => JSON.parse(await readFile(path, 'utf8'));

describe.each(Object.entries(expected.vocabularies))(
  'tokens added to %s',
  (name, { ids, entries, texts }) => {
    test('have the ids that the tokenizers library gives them, and texts its tokens', async () => {
      await using rig = await openStageRig();
      const folder = rig.path('.');
      await copyFile(join(fixtures, `text/tokenizers/${name}.json`), join(folder, 'tokenizer.json'));
      await extendTokenizer(folder, { tokens, special });
      const { added_tokens } = await readJson(join(folder, 'tokenizer.json'));
      expect(added_tokens).toEqual(entries);
      await writeFile(join(folder, 'tokenizer_config.json'), '{"eos_token": "</s>"}');
      const tokenizer = await openTokenizer(folder);
      expect(expected.strings.map((text) => [...tokenizer.encode(text)])).toEqual(texts);
      const written = tokenizer.encode(special.map((text) => ({ text, special: true })));
      expect([...written]).toEqual(special.map((text) => ids[text as keyof typeof ids]));
      expect(tokenizer.decode([ids['<city>'], ids['<|tool|>']])).toBe('<city><|tool|>');
    });
  },
);

/** A tokenizer of the 31 tokens that the models of fixtures have. */
const letters = {
  added_tokens: [{ id: 30, content: '</s>', special: true, normalized: false }],
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries([...'abcdefghijklmnopqrstuvwxyzĠ.,-'].map((letter, id) => [letter, id])),
    merges: [],
  },
};

async function loadFamily(rig: StageRig, name: string, fields: JsonObject) {
  const source = rig.path(`source-${name}`);
  await cp(join(fixtures, 'model/families', name), source, { recursive: true });
  await writeFile(join(source, 'tokenizer.json'), JSON.stringify(letters));
  await rig.run(load, {
    config: { type: 'auto', model: source, untie_head: false, ...fields },
    outputs: { model: 'model', tokenizer: 'tokenizer' },
  });
  return { source, folder: rig.path('model') };
}

describe.each(Object.entries(expected.models))('in a model of %s', (name, { rows, means }) => {
  test('rows of new tokens and padding are the mean of all, as transformers has it; the others stay', async () => {
    await using rig = await openStageRig();
    const { source, folder } = await loadFamily(rig, name, {
      add_tokens: ['<city>'],
      add_special_tokens: ['<|tool|>'],
      pad_vocabulary_to_multiple_of: 8,
    });
    await using before = await openModelFolder(source);
    await using model = await openModelFolder(folder);
    expect(model.config.vocabularySize).toBe(rows);
    for (const parameter of parameterLayout(model.config).keys()) {
      const [values, former] = [await model.read(parameter), await before.read(parameter)];
      expect(values.subarray(0, former.length)).toEqual(former);
      const mean = [(means as Record<string, number | number[]>)[parameter] ?? []].flat();
      if (mean.length === 0) expect(values.length).toBe(former.length);
      for (let at = former.length; at < values.length; at += mean.length)
        expect(
          Math.max(...mean.map((each, column) => Math.abs(each - (values[at + column] ?? 0)))),
        ).toBeLessThan(1e-7);
    }
    const [own, port] = [await openTokenizer(folder), await openTokenizer(rig.path('tokenizer'))];
    expect(own.vocabulary).toBe(port.vocabulary);
    expect([own.vocabularySize, own.specialTokens.get('<|tool|>')]).toEqual([33, 32]);
    expect(await readJson(join(folder, 'new_tokens.json'))).toEqual({
      vocab_size: 31,
      tokens: { '<city>': 31, '<|tool|>': 32 },
    });
  });
});

test('a new token takes a row that no token had, and its row starts as the mean too', async () => {
  await using rig = await openStageRig();
  const { source, folder } = await loadFamily(rig, 'gpt2', { pad_vocabulary_to_multiple_of: 8 });
  await using padded = await openModelFolder(folder);
  expect(padded.config.vocabularySize).toBe(32);
  const embedding = 'transformer.wte.weight';
  const values = await padded.read(embedding);
  await mkdir(rig.path('second'));
  await cp(folder, rig.path('second'), { recursive: true });
  await rig.run(load, {
    config: { type: 'auto', model: rig.path('second'), untie_head: true, add_tokens: ['<city>'] },
    outputs: { model: 'extended', tokenizer: 'extended-tokenizer' },
  });
  await using extended = await openModelFolder(rig.path('extended'));
  expect([extended.config.vocabularySize, extended.config.tied]).toEqual([32, false]);
  await using original = await openModelFolder(source);
  const width = original.config.hiddenSize;
  for (const name of [embedding, 'lm_head.weight']) {
    const found = await extended.read(name);
    expect(found.subarray(0, 31 * width)).toEqual(values.subarray(0, 31 * width));
    for (const [column, mean] of expected.models.gpt2.means[embedding].entries())
      expect(found[31 * width + column]).toBeCloseTo(mean, 6);
  }
});

test('a token that the vocabulary has keeps its row, with a warning', async () => {
  await using rig = await openStageRig();
  const { folder } = await loadFamily(rig, 'llama', { add_tokens: ['e'], add_special_tokens: ['</s>'] });
  await using model = await openModelFolder(folder);
  expect(model.config.vocabularySize).toBe(31);
  expect(rig.reports).toEqual([
    {
      type: 'note',
      level: 'warning',
      message: 'the vocabulary already has `e`, `</s>`: the embedding stays as it is',
    },
  ]);
});

test('an encoding becomes a tokenizer.json with the tokens after its own', async () => {
  await using rig = await openStageRig();
  const init = { family: 'gpt2', context_length: 8, width: 4, layers: 1, heads: 2, tied: true, seed: 1 };
  await rig.run(load, {
    config: { type: 'auto', init: { ...init, encoding: 'r50k_base' }, add_special_tokens: ['<|user|>'] },
    outputs: { model: 'model', tokenizer: 'tokenizer' },
  });
  const json = await readJson(rig.path('tokenizer/tokenizer.json'));
  const { added_tokens, ...others } = await encodingTokenizerJson('r50k_base');
  expect(json).toEqual({
    ...others,
    added_tokens: [
      ...(added_tokens as object[]),
      {
        ...{ id: 50257, content: '<|user|>', special: true },
        ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
      },
    ],
  });
  await using model = await openModelFolder(rig.path('model'));
  expect(model.config.vocabularySize).toBe(50258);
});

test('files beside tokenizer.json that list tokens list the new ones too', async () => {
  await using rig = await openStageRig();
  const folder = rig.path('.');
  const write = (name: string, json: object) => writeFile(join(folder, name), JSON.stringify(json));
  await write('tokenizer.json', letters);
  await write('tokenizer_config.json', {
    eos_token: '</s>',
    added_tokens_decoder: { 30: { content: '</s>', special: true } },
    additional_special_tokens: ['</s>'],
  });
  await write('special_tokens_map.json', { eos_token: '</s>' });
  await write('added_tokens.json', { '</s>': 30 });
  await extendTokenizer(folder, { tokens: ['<city>'], special: ['<|tool|>'] });
  const entry = (content: string, special: boolean) => ({
    ...{ content, special, single_word: false, lstrip: false, rstrip: false, normalized: false },
  });
  expect(await readJson(join(folder, 'tokenizer_config.json'))).toEqual({
    eos_token: '</s>',
    added_tokens_decoder: {
      30: { content: '</s>', special: true },
      31: entry('<city>', false),
      32: entry('<|tool|>', true),
    },
    additional_special_tokens: ['</s>', '<|tool|>'],
  });
  expect(await readJson(join(folder, 'special_tokens_map.json'))).toEqual({
    eos_token: '</s>',
    additional_special_tokens: ['<|tool|>'],
  });
  expect(await readJson(join(folder, 'added_tokens.json'))).toEqual({
    '</s>': 30,
    '<city>': 31,
    '<|tool|>': 32,
  });
});

test.each<[JsonObject, string]>([
  [
    { records: 'a.json', add_tokens: ['<a>'] },
    '`add_tokens` means something only where a model with weights',
  ],
  [
    { model: 'openai:x', add_special_tokens: ['<a>'] },
    '`add_special_tokens` means something only where a model',
  ],
  [{ model: 'm', add_tokens: ['<a>'], add_special_tokens: ['<b>', '<a>'] }, '`<a>` is in `add_tokens` too'],
])('%j is refused by the check', (config, message) => {
  const problems = loadStage.check?.({ type: 'auto', untie_head: false, ...config } as never) ?? [];
  expect(problems.map((problem) => problem.message)).toEqual([expect.stringContaining(message)]);
});
