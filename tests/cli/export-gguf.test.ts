import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dequantize } from '../../src/formats/gguf/blocks.ts';
import { openGguf } from '../../src/formats/gguf/open-gguf.ts';
import { quantize } from '../../src/formats/gguf/quantize.ts';
import { openModelFolder, writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { parameterLayout } from '../../src/model/model-config.ts';
import { ggufTokenizer, writeGgufTokenizer } from '../../src/text/tokenizer/gguf-tokenizer.ts';
import { openJsonTokenizer } from '../../src/text/tokenizer/json-tokenizer.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import { type CliRig, openCliRig } from './rig.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model/gguf', name);

let rig: CliRig;
beforeAll(async () => {
  const row = (animal: string) =>
    `{"id":"${animal}","instruction":"Spell ${animal}.","output":"${animal}"}\n`;
  rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': ['dog', 'cat'].map(row).join(''),
    'spell.yaml': `name: spell
stages:
  base: { uses: load, with: { init: { context_length: 64, width: 32, layers: 1, heads: 2, encoding: r50k_base } } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: alpaca } }
  tokenize: { from: format, with: { encoding: r50k_base } }
  collate: { from: tokenize, with: { batch_size: 2, max_length: 64 } }
  train: { from: { model: base, train: collate }, with: { lora: { r: 2 } } }
`,
  });
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
}, 60_000);
afterAll(() => rig[Symbol.asyncDispose]());

const inOut = (...names: string[]) => join(rig.folder, 'out', ...names);

/** Writes a model of a fixture as a folder, with other settings. */
async function modelFolder(name: string, files: Readonly<Record<string, object>> = {}): Promise<void> {
  const folder = join(rig.folder, name);
  await mkdir(folder);
  await using source = await openGgufModel(fixture('llama.gguf'));
  await writeModelFolder(folder, source);
  await writeGgufTokenizer(folder, source);
  for (const [path, change] of Object.entries(files)) {
    const before = await readFile(join(folder, path), 'utf8').catch(() => '{}');
    await writeFile(join(folder, path), JSON.stringify({ ...JSON.parse(before), ...change }));
  }
}

test('a tuned model becomes a GGUF file with the adapter merged and the vocabulary of its encoding', async () => {
  const words = ['--to', 'out/half', '--format', 'gguf', '--dtype', 'bfloat16'];
  expect(await rig.tuneloom('export', 'train', ...words)).toEqual({
    exitCode: 0,
    stdout: 'wrote out/half\n  README.md\n  model-BF16.gguf',
    stderr: '',
  });
  await using written = await openGgufModel(inOut('half/model-BF16.gguf'));
  await using trained = await openModelFolder(join(rig.folder, 'artifacts/outputs/spell/train/model'));
  for (const [name, { shape }] of parameterLayout(trained.config)) {
    const values = await trained.read(name);
    const isMatrix = shape.length > 1 && name !== 'transformer.wpe.weight';
    const stored = isMatrix ? dequantize('BF16', quantize('BF16', values).slice().buffer) : values;
    expect(await written.read(name)).toEqual(stored);
  }
  const { tokenizer, config } = ggufTokenizer(written);
  const own = openJsonTokenizer({ path: 'own', text: JSON.stringify(tokenizer), config });
  const encoding = await openTokenizer(trained.path);
  const text = "Spell naïve 日本, it's 1234  times.\n\n";
  expect(own.encode(text)).toEqual(encoding.encode(text));
  expect(own.endOfText).toBe(50256);
  expect(await readFile(inOut('half/README.md'), 'utf8')).toContain(
    '```sh\nllama-cli -m model-BF16.gguf\n```',
  );
});

test.each([
  ['q8_0', 'Q8_0', { Q8_0: 5, F32: 11 }],
  ['q4_0', 'Q4_0', { Q4_0: 4, Q8_0: 1, F32: 11 }],
  ['q4_k_m', 'Q4_K_M', { Q5_0: 2, Q8_0: 3, F32: 11 }],
])('--dtype %s stores each tensor in a format of that mixture', async (dtype, name, expected) => {
  await rig.tuneloom('export', 'train', '--to', `out/${dtype}`, '--format', 'gguf', '--dtype', dtype);
  await using file = await openGguf(inOut(dtype, `model-${name}.gguf`));
  const formats = [...file.tensors.values()].map(({ format }) => format);
  const count = (each: string) => formats.filter((format) => format === each).length;
  expect(Object.fromEntries(Object.keys(expected).map((each) => [each, count(each)]))).toEqual(expected);
});

test('an adapter alone is a GGUF file that names the tensors of its base', async () => {
  const words = ['--to', 'out/lora', '--format', 'gguf-lora'];
  expect((await rig.tuneloom('export', 'train', ...words)).stdout).toBe(
    'wrote out/lora\n  README.md\n  adapter.gguf',
  );
  await using file = await openGguf(inOut('lora/adapter.gguf'));
  expect(Object.fromEntries(file.metadata)).toMatchObject({
    'general.type': 'adapter',
    'general.architecture': 'gpt2',
    'adapter.type': 'lora',
    'adapter.lora.alpha': 32,
  });
  expect([...file.tensors].map(([name, { shape }]) => `${name} [${shape}]`)).toEqual([
    'blk.0.attn_qkv.weight.lora_a [2,32]',
    'blk.0.attn_qkv.weight.lora_b [96,2]',
    'blk.0.attn_output.weight.lora_a [2,32]',
    'blk.0.attn_output.weight.lora_b [32,2]',
    'blk.0.ffn_up.weight.lora_a [2,32]',
    'blk.0.ffn_up.weight.lora_b [128,2]',
    'blk.0.ffn_down.weight.lora_a [2,128]',
    'blk.0.ffn_down.weight.lora_b [32,2]',
  ]);
});

test('for Ollama there is a Modelfile with the chat template in its language, the settings and the ends', async () => {
  const source =
    "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  await modelFolder('chat', {
    'tokenizer_config.json': { chat_template: source },
    'generation_config.json': { do_sample: true, temperature: 0.6, top_k: 40, eos_token_id: [2, 0] },
  });
  const { stdout, stderr } = await rig.tuneloom(
    'export',
    './chat',
    '--to',
    'out/ollama',
    '--format',
    'ollama',
  );
  expect({ stdout, stderr }).toEqual({
    stdout: 'wrote out/ollama\n  Modelfile\n  README.md\n  model-F32.gguf',
    stderr: '',
  });
  expect(await readFile(inOut('ollama/Modelfile'), 'utf8')).toBe(`FROM ./model-F32.gguf
TEMPLATE """{{ if not .System }}<|im_start|>{{ end }}{{ range .Messages }}{{ if eq .Role "system" }}<|im_start|><|im_start|>system
{{ .Content }}<|im_end|>
{{ else if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ .Content }}<|im_end|>
{{ end }}{{ end }}<|im_start|>assistant
"""
PARAMETER temperature 0.6
PARAMETER top_k 40
PARAMETER stop "<|im_end|>"
PARAMETER stop "<|endoftext|>"
`);
});

test('for Ollama an adapter is added to a base that is named', async () => {
  const words = ['--to', 'out/ollama-lora', '--format', 'ollama-lora'];
  expect(await rig.tuneloom('export', 'train', ...words)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('Ollama needs the model that the adapter belongs to'),
  });
  const { stdout } = await rig.tuneloom('export', 'train', ...words, '--base', 'gpt2-small');
  expect(stdout).toBe('wrote out/ollama-lora\n  Modelfile\n  README.md\n  adapter.gguf');
  expect(await readFile(inOut('ollama-lora/Modelfile'), 'utf8')).toBe(`FROM gpt2-small
ADAPTER ./adapter.gguf
PARAMETER stop "<|endoftext|>"
`);
});

test('a chat template that does not simply surround messages is left out of the Modelfile, with a note', async () => {
  const source = '{% for message in messages %}{{ loop.index ~ message.content }}{% endfor %}';
  await modelFolder('counted', { 'tokenizer_config.json': { chat_template: source } });
  const { stderr } = await rig.tuneloom('export', './counted', '--to', 'out/counted', '--format', 'ollama');
  expect(stderr).toBe(
    'note: the chat template cannot be written in Ollama’s language: add a TEMPLATE to the Modelfile',
  );
});

test.each<[string, Readonly<Record<string, object>>, string]>([
  [
    'tokenizer',
    { 'tokenizer.json': { pre_tokenizer: { type: 'WhitespaceSplit' } } },
    'cannot be written as GGUF: it splits texts in its own way; these can be written: gpt-2,',
  ],
  [
    'normalizer',
    { 'tokenizer.json': { normalizer: { type: 'Lowercase' } } },
    'cannot be written as GGUF: it has a `normalizer`, which GGUF cannot express',
  ],
  [
    'positions',
    { 'config.json': { rope_scaling: { rope_type: 'dynamic', factor: 2 } } },
    'the model stretches positions by the length of a text (`dynamic`), which llama.cpp does not',
  ],
])('a model is refused for its %s, and nothing is written', async (name, files, message) => {
  await modelFolder(`bad-${name}`, files);
  const { exitCode, stderr } = await rig.tuneloom(
    'export',
    `./bad-${name}`,
    '--to',
    `out/bad-${name}`,
    '--format',
    'gguf',
  );
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain(message);
  expect((await readdir(inOut())).filter((entry) => entry.includes('bad-'))).toEqual([]);
});

test.each([
  [['--format', 'hf', '--dtype', 'q8_0'], 'only a GGUF file stores weights in q8_0'],
  [['--format', 'gguf-lora', '--dtype', 'float16'], 'an adapter is exported in float32'],
])('%s is refused', async (words, message) => {
  const { exitCode, stderr } = await rig.tuneloom('export', 'train', '--to', 'out/refused', ...words);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
});
