import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeBfloat16, encodeBfloat16 } from '../../src/formats/safetensors/floats.ts';
import { openSafetensors } from '../../src/formats/safetensors/open-safetensors.ts';
import { openModelFolder } from '../../src/model/folder/model-folder.ts';
import { parameterLayout } from '../../src/model/model-config.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import { type CliRig, openCliRig } from './rig.ts';

const pipeline = `name: spell
params: { epochs: 1 }
stages:
  base: { uses: load, with: { init: { context_length: 64, width: 8, layers: 1, heads: 2, encoding: r50k_base } } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: alpaca } }
  tokenize: { from: format, with: { encoding: r50k_base } }
  collate: { from: tokenize, with: { batch_size: 2, max_length: 64 } }
  train: { from: { model: base, train: collate }, with: { epochs: "\${params.epochs}", lora: { r: 2 } } }
  generate: { from: { model: train, prompts: format }, with: { max_new_tokens: 2 } }
  evaluate: { from: generate, with: { metrics: [exact_match] } }
`;

let rig: CliRig;
beforeAll(async () => {
  const row = (animal: string) =>
    `{"id":"${animal}","instruction":"Spell ${animal}.","output":"${animal}"}\n`;
  rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': ['dog', 'cat'].map(row).join(''),
    'spell.yaml': pipeline,
  });
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
}, 60_000);
afterAll(() => rig[Symbol.asyncDispose]());

const inOut = (...names: string[]) => join(rig.folder, 'out', ...names);
const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

test('a tuned model becomes a folder with its weights, its tokenizer and a model card', async () => {
  expect(await rig.tuneloom('export', 'train', '--to', 'out/full')).toEqual({
    exitCode: 0,
    stdout: `wrote out/full
  README.md
  config.json
  generation_config.json
  merges.txt
  model.safetensors
  tokenizer.json
  tokenizer_config.json
  vocab.json`,
    stderr: '',
  });
  await using written = await openModelFolder(inOut('full'));
  await using trained = await openModelFolder(join(rig.folder, 'artifacts/outputs/spell/train/model'));
  expect(written.config).toEqual({
    ...trained.config,
    json: { ...trained.config.json, torch_dtype: 'float32' },
  });
  for (const name of parameterLayout(trained.config).keys())
    expect(await written.read(name)).toEqual(await trained.read(name));
  const [own, encoding] = [await openTokenizer(inOut('full')), await openTokenizer(trained.path)];
  expect(own.encode('Spell naïve 日本.')).toEqual(encoding.encode('Spell naïve 日本.'));
  expect(own.endOfText).toBe(50256);
  const card = await readFile(inOut('full/README.md'), 'utf8');
  expect(card.replaceAll(/\d+\.\d+/g, '<number>').replaceAll(/sha256:[0-9a-f]{64}/g, '<digest>')).toBe(`---
library_name: transformers
pipeline_tag: text-generation
tags:
- tuneloom
---

# spell

A gpt2 model, tuned and exported with tuneloom <number>.0.

It started from fresh random weights.

\`\`\`python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".")
tokenizer = AutoTokenizer.from_pretrained(".")
\`\`\`

## Data

| source | content |
|---|---|
| rows.jsonl | \`<digest>\` |

## Losses

| stage | set | first | last |
|---|---|---|---|
| train | train | <number> | <number> |

## Scores

| stage | metric | value | count |
|---|---|---|---|
| evaluate | exact_match | 0 | 2 |

## Parameters

- \`epochs\`: \`1\`

## Pipeline

With the data above, and this as \`spell.yaml\`, tuneloom <number>.0 makes the model again:

\`\`\`sh
npx tuneloom run spell.yaml train
npx tuneloom export spell.yaml train --to model
\`\`\`

\`\`\`yaml
${pipeline.trimEnd()}
\`\`\`
`);
});

test('in bfloat16 and in shards it is the same model, rounded', async () => {
  const words = ['--to', 'out/half', '--dtype', 'bfloat16', '--max-shard-size', '500kB', '--json'];
  const { stdout } = await rig.tuneloom('export', 'train', ...words);
  const { files } = JSON.parse(stdout);
  expect(files.filter((name: string) => /^model/.test(name))).toEqual([
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'model.safetensors.index.json',
  ]);
  const { weight_map } = await readJson(inOut('half/model.safetensors.index.json'));
  for (const name of ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']) {
    await using shard = await openSafetensors(inOut('half', name));
    const listed = Object.keys(weight_map).filter((tensor) => weight_map[tensor] === name);
    expect([...shard.tensors.keys()].sort()).toEqual(listed.sort());
  }
  await using written = await openModelFolder(inOut('half'));
  await using trained = await openModelFolder(join(rig.folder, 'artifacts/outputs/spell/train/model'));
  for (const name of parameterLayout(trained.config).keys())
    expect(await written.read(name)).toEqual(decodeBfloat16(encodeBfloat16(await trained.read(name))));
});

test("an adapter is exported with the base's name, which the stage cannot know", async () => {
  await rig.tuneloom('export', 'train', '--to', 'out/adapter', '--format', 'peft', '--base', 'org/base');
  expect((await readdir(inOut('adapter'))).sort()).toEqual([
    'README.md',
    'adapter_config.json',
    'adapter_model.safetensors',
    'merges.txt',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.json',
  ]);
  const config = await readJson(inOut('adapter/adapter_config.json'));
  expect(config).toMatchObject({ peft_type: 'LORA', r: 2, base_model_name_or_path: 'org/base' });
  expect((await stat(inOut('adapter/adapter_model.safetensors'))).mode & 0o200).toBe(0o200);
});

test('an adapter whose base is not on the hub says so, and its card tells how to load it', async () => {
  const { exitCode, stderr } = await rig.tuneloom('export', 'train', '--to', 'out/alone', '--format', 'peft');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr:
      'note: the adapter names no base model, as that does not come from the hub: name it with --base, or export it too with `tuneloom export base --to base`',
  });
  expect(await readJson(inOut('alone/adapter_config.json'))).toMatchObject({ base_model_name_or_path: null });
  expect(await readFile(inOut('alone/README.md'), 'utf8')).toContain(`
The adapter needs the model that it was trained on, here in a folder \`base\` beside this one: \`tuneloom export base --to base\` writes it.

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained("../base")
model = PeftModel.from_pretrained(base, ".")
tokenizer = AutoTokenizer.from_pretrained(".")
\`\`\`
`);
  expect(await readFile(inOut('adapter/README.md'), 'utf8')).toContain(`
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

model = AutoPeftModelForCausalLM.from_pretrained(".")
tokenizer = AutoTokenizer.from_pretrained(".")
`);
});

test.each(['export', 'chat', 'show'])(
  '%s with overrides that have no result does not take the result of another run',
  async (command) => {
    const words = command === 'export' ? ['--to', 'out/never'] : [];
    const overrides = ['-p', 'epochs=7', '--set', 'stages.train.with.lora.r=3'];
    expect(await rig.tuneloom(command, 'spell.yaml', 'train', ...words, ...overrides)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: the stage \`train\` has no result with -p epochs=7 --set stages.train.with.lora.r=3
  help: run it first with \`tuneloom run spell.yaml train -p epochs=7 --set stages.train.with.lora.r=3\``,
    });
    expect(await readdir(inOut())).not.toContain('never');
  },
);

test('overrides that have a result export it', async () => {
  const { exitCode, stderr } = await rig.tuneloom('export', 'train', '--to', 'out/same', '-p', 'epochs=1');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

test('a card names no path of the machine that it was written on', async () => {
  const project = pipeline
    .replace('{ epochs: 1 }', `{ epochs: 1, rows: "${join(rig.folder, 'rows.jsonl')}" }`)
    .replace('records: rows.jsonl', `records: "\${params.rows}"`);
  await rig.write('paths.yaml', project);
  expect((await rig.tuneloom('run', 'paths.yaml', 'train')).exitCode).toBe(0);
  await rig.tuneloom('export', 'paths.yaml', 'train', '--to', 'out/paths');
  const card = await readFile(inOut('paths/README.md'), 'utf8');
  expect(card).toContain('- `rows`: `"rows.jsonl"`');
  expect(card).toContain('params: { epochs: 1, rows: "rows.jsonl" }');
  expect(card).not.toContain(rig.folder);
  await rm(join(rig.folder, 'paths.yaml'));
});

test('a model’s folder is exported without a pipeline', async () => {
  expect(
    (await rig.tuneloom('export', './out/full', '--to', 'out/again', '--dtype', 'float16')).exitCode,
  ).toBe(0);
  expect(await readJson(inOut('again/config.json'))).toMatchObject({ torch_dtype: 'float16' });
});

test.each([
  [['train', '--to', 'out/full'], 'out/full exists already\n  help: replace it with --force'],
  [
    ['train'],
    '`--to` is missing\n  help: name the folder to write, as in --to my-model, or a repository, as in --push hf:owner/name',
  ],
  [
    ['train', '--to', 'artifacts', '--force'],
    'artifacts holds `.gitignore`, which no export wrote\n  help: name a folder that does not exist yet',
  ],
  [
    ['load', '--to', 'out/x'],
    '`load` is of type records, and only one of type model can be exported\n  help: name a stage that loads or trains a model',
  ],
  [
    ['base', '--to', 'out/x', '--format', 'peft'],
    'the model has no adapter: it was not trained with LoRA\n  help: export the whole model with --format hf',
  ],
  [
    ['train', '--to', 'out/x', '--max-shard-size', 'big'],
    '`big` is not a size\n  help: write it as 5GB or 500MiB',
  ],
  [['./nowhere', '--to', 'out/x'], 'there is no folder ./nowhere\n  help: a stage is named without a path'],
])('export %j is refused, and nothing is left behind', async (words, message) => {
  const before = (await readdir(rig.folder)).sort();
  expect(await rig.tuneloom('export', ...words)).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `error: ${message}`,
  });
  expect((await readdir(rig.folder)).sort()).toEqual(before);
  expect(await readdir(inOut())).not.toContain('x');
});

test('--force replaces an earlier export as a whole', async () => {
  await writeFile(inOut('again/vocab.json'), 'of another time');
  expect((await rig.tuneloom('export', 'base', '--to', 'out/again', '--force')).exitCode).toBe(0);
  await mkdir(inOut('again/additional_chat_templates'), { recursive: true });
  expect((await rig.tuneloom('export', 'base', '--to', 'out/again', '--force')).exitCode).toBe(0);
  expect(await readdir(inOut('again'))).not.toContain('additional_chat_templates');
  expect(await readJson(inOut('again/config.json'))).toMatchObject({ torch_dtype: 'float32' });
  expect((await readdir(inOut())).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a model that no export wrote is not replaced, whatever its files are called', async () => {
  await cp(inOut('again'), inOut('theirs'), { recursive: true });
  await writeFile(inOut('theirs/README.md'), '# A model of someone else\n');
  for (const force of [[], ['--force']])
    expect(await rig.tuneloom('export', 'base', '--to', 'out/theirs', ...force)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'error: out/theirs holds a model, which no export wrote\n  help: name a folder that does not exist yet',
    });
});

test('once the pipeline has changed, the card keeps its facts, from the records of the run', async () => {
  await rig.write('spell.yaml', pipeline.replace('r: 2', 'r: 3').replace('epochs: 1', 'epochs: 2'));
  const { stderr, exitCode } = await rig.tuneloom('export', 'train', '--to', 'out/past');
  await rig.write('spell.yaml', pipeline);
  expect({ stderr, exitCode }).toEqual({
    stderr: 'note: `train` has no result as the pipeline is now; this is from run <run>',
    exitCode: 0,
  });
  const [past, current] = await Promise.all(
    ['past', 'full'].map((name) => readFile(inOut(name, 'README.md'), 'utf8')),
  );
  const [facts] = current?.replace('| rows.jsonl |', '| load: records |').split('\n\n## Pipeline') ?? [];
  expect(past).toBe(`${facts}\n`);
});
