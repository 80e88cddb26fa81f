import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import { openModelFolder } from '../../src/model/folder/model-folder.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { type CliRig, openCliRig } from './rig.ts';

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

const pipeline = (train: string) => `name: tokens
params: { tokens: ["<city>", "<date>"] }
stages:
  base:
    uses: load
    with: { model: base, add_tokens: "\${params.tokens}", add_special_tokens: ["<|tool|>"], pad_vocabulary_to_multiple_of: 8 }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: completion } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 2, max_length: 40 } }
  train:
    from: { model: base, train: collate }
    with: { epochs: 2, lora: { r: 2 }, optimizer: { learning_rate: 0.05 }${train} }
`;

let rig: CliRig;
beforeAll(async () => {
  const row = (text: string) => `${JSON.stringify({ id: text, text })}\n`;
  rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': ['in <city> on <date>.', 'a <city>'].map(row).join(''),
    'plain.jsonl': row('a city.'),
    'tokens.yaml': pipeline(', trainable_tokens: new'),
    'frozen.yaml': pipeline('').replace('name: tokens', 'name: frozen'),
  });
  const base = join(rig.folder, 'base');
  await cp(join(import.meta.dirname, '../fixtures/model/families/llama'), base, { recursive: true });
  await writeFile(join(base, 'tokenizer.json'), JSON.stringify(letters));
  expect((await rig.tuneloom('run', 'tokens.yaml')).exitCode).toBe(0);
}, 60_000);
afterAll(() => rig[Symbol.asyncDispose]());

const output = (name: string) => join(rig.folder, 'artifacts/outputs/tokens', name);
const ids = [31, 32, 33];

test('new tokens reach the training, which changes their rows alone and is not repeated', async () => {
  await using base = await openModelFolder(output('base/model'));
  await using tuned = await openModelFolder(output('train/model'));
  expect([base.config.vocabularySize, tuned.config.vocabularySize]).toEqual([40, 40]);
  const width = base.config.hiddenSize;
  for (const name of ['model.embed_tokens.weight', 'lm_head.weight']) {
    const [before, after] = [await base.read(name), await tuned.read(name)];
    const changed = new Set<number>();
    for (const [index, value] of after.entries())
      if (value !== before[index]) changed.add(Math.floor(index / width));
    expect([...changed]).toEqual(ids);
  }
  const { stdout } = await rig.tuneloom('run', 'tokens.yaml');
  expect(stdout).toContain('nothing had to run');
});

test('an adapter brings their rows along, trained or not, as PEFT’s trainable tokens', async () => {
  expect((await rig.tuneloom('run', 'frozen.yaml')).exitCode).toBe(0);
  for (const [file, name] of [
    ['tokens.yaml', 'tokens'],
    ['frozen.yaml', 'frozen'],
  ] as const) {
    const to = join(rig.folder, 'out', name);
    await rig.tuneloom('export', file, 'train', '--to', to, '--format', 'peft', '--base', 'org/base');
    const config = JSON.parse(await readFile(join(to, 'adapter_config.json'), 'utf8'));
    expect(config.trainable_token_indices).toEqual({ 'model.embed_tokens': ids, lm_head: ids });
    await using adapter = await openSafetensors(join(to, 'adapter_model.safetensors'));
    await using merged = await openModelFolder(join(rig.folder, 'artifacts/outputs', name, 'train/model'));
    const width = merged.config.hiddenSize;
    for (const module of ['model.embed_tokens', 'lm_head']) {
      const tensor = `base_model.model.${module}.token_adapter.trainable_tokens_delta`;
      const table = await merged.read(`${module}.weight`);
      expect(await adapter.readFloat32(tensor)).toEqual(table.slice(31 * width, 34 * width));
    }
  }
});

test('a GGUF file has them with their types, and its padding as unused', async () => {
  const to = join(rig.folder, 'out/gguf');
  expect(
    (await rig.tuneloom('export', 'tokens.yaml', 'train', '--to', to, '--format', 'gguf')).exitCode,
  ).toBe(0);
  await using written = await openGgufModel(join(to, 'model-F32.gguf'));
  const listed = (key: string) => (written.metadata.get(`tokenizer.ggml.${key}`) as unknown[]).slice(30, 36);
  expect(listed('tokens')).toEqual(['</s>', '<city>', '<date>', '<|tool|>', '[PAD34]', '[PAD35]']);
  expect(listed('token_type')).toEqual([3, 4, 4, 3, 5, 5]);
});

test.each([
  ['[<town>, a]', '`trainable_tokens` has `<town>`, which the model'],
  ['new', '`trainable_tokens: new` trains the tokens that `load` added, and it added none to this model'],
])('trainable_tokens: %s is an error that says what to do', async (value, message) => {
  const added = /, add_tokens: .*, pad_vocabulary_to_multiple_of: 8/;
  const plain = (text: string) => text.replace(added, '').replace('rows.jsonl', 'plain.jsonl');
  const given = pipeline(`, trainable_tokens: ${value}`);
  const text = value === 'new' ? plain(given) : given;
  await rig.write('wrong.yaml', text);
  const { exitCode, stdout } = await rig.tuneloom('run', 'wrong.yaml');
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining(message)]);
});

test('an adapter with new tokens is refused by a base without them, and goes on with one that has them', async () => {
  const answers = (added: string) => `name: answers
stages:
  base: { uses: load, with: { model: base${added} } }
  adapter: { uses: load, with: { adapter: out/tokens } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: completion } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 2, max_length: 40 } }
  train: { from: { model: base, adapter: adapter, train: collate }, with: { epochs: 1, lora: continue } }
`;
  const added = ', add_tokens: ["<city>", "<date>"], add_special_tokens: ["<|tool|>"]';
  await rig.write('answers.yaml', answers(added));
  expect(await rig.tuneloom('run', 'answers.yaml')).toMatchObject({ exitCode: 0 });
  await rig.write('answers.yaml', answers('').replace('rows.jsonl', 'plain.jsonl'));
  const { exitCode, stdout } = await rig.tuneloom('run', 'answers.yaml');
  expect([exitCode, stdout]).toEqual([
    1,
    expect.stringContaining('the adapter trains the token 31, and the model has 31'),
  ]);
});

test('the tokens of an adapter that goes on are its own', async () => {
  await rig.write(
    'continued.yaml',
    pipeline(', trainable_tokens: new').replace('lora: { r: 2 }', 'lora: continue'),
  );
  const { exitCode, stderr } = await rig.tuneloom('plan', 'continued.yaml');
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('so `trainable_tokens` has no effect')]);
});
