import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paddedRows } from '../../src/model/attend-rows.ts';
import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { parameterLayout, parseModelConfig } from '../../src/model/model-config.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { writeGgufTokenizer } from '../../src/text/tokenizer/gguf-tokenizer.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import { vocabularyOf } from '../../src/text/tokenizer/vocabulary.ts';
import sentencePieces from '../fixtures/text/sentence-pieces.json' with { type: 'json' };
import { type CliRig, openCliRig } from './rig.ts';

const installed = process.env.TUNELOOM_LLAMA_CPP;
const hasLlamaCpp = installed !== undefined && existsSync(join(installed, 'node_modules/node-llama-cpp'));
const reason = hasLlamaCpp
  ? ''
  : ' (skipped: TUNELOOM_LLAMA_CPP names no folder with node-llama-cpp installed)';
const script = fileURLToPath(new URL('../../bench/peers/continue-with-llama-cpp.mjs', import.meta.url));
const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model/gguf', name);

const prompts = ['the people', '1234 birds', 'Übung, <|im_start|>user the', ' of the\n\n town that'];
const count = 20;

interface Answer {
  readonly ids: readonly number[];
  readonly next: readonly number[];
}

/** What llama.cpp makes of each request. */
async function byLlamaCpp(
  requests: readonly { model: string; adapter?: string; prompts?: readonly string[]; count?: number }[],
): Promise<Answer[][]> {
  const given = JSON.stringify(requests.map((request) => ({ prompts, count, ...request })));
  const { stdout } = await execa('node', [script, installed ?? '', given]);
  return JSON.parse(stdout);
}

/** By how much another token has a larger logit in our engine than the one that llama.cpp chose, at most. */
async function largestLead(path: string, answers: readonly Answer[]): Promise<number> {
  await using source = await openGgufModel(path);
  const folder = await mkdtemp(join(tmpdir(), 'read-back-'));
  await writeModelFolder(folder, source);
  const lead = await largestLeadIn(folder, answers);
  await rm(folder, { recursive: true });
  return lead;
}

async function largestLeadIn(folder: string, answers: readonly Answer[]): Promise<number> {
  const model = await openLanguageModel(folder);
  const leads = answers.map(({ ids, next }) =>
    tf.tidy(() => {
      const all = Int32Array.from([...ids, ...next].slice(0, -1));
      const hidden = model.hidden(paddedRows(model.config, { ids: all, batch: 1, length: all.length }));
      const logits = model.logits(tf.slice(hidden, [ids.length - 1, 0], [next.length, -1])); // [N, V]
      const chosen = tf.sum(
        tf.mul(logits, tf.oneHot(tf.tensor1d([...next], 'int32'), logits.shape[1] ?? 0)),
        1,
      );
      return tf.max(tf.sub(tf.max(logits, 1), chosen)).dataSync()[0] ?? Number.NaN;
    }),
  );
  model.dispose();
  return Math.max(...leads);
}

let rig: CliRig;
beforeAll(async () => {
  if (!hasLlamaCpp) return;
  rig = await openCliRig({ 'package.json': '{}' });
  await openTensorBackend({ backend: 'cpu' });
});
afterAll(() => rig?.[Symbol.asyncDispose]());

describe.skipIf(!hasLlamaCpp).each(['llama', 'qwen2', 'phi3', 'gpt2'])(
  // llama.cpp rounds activations to 16 bits before it multiplies by weights of 16 bits, and so it does GPT-2's.
  `llama.cpp chooses the tokens that tuneloom gives the largest logits, up to rounding, in an exported %s model${reason}`,
  (family) => {
    test('in float32 and in float16', async () => {
      const folder = join(rig.folder, family);
      await mkdir(folder);
      await using source = await openGgufModel(fixture(`${family}.gguf`));
      await writeModelFolder(folder, source);
      await writeGgufTokenizer(folder, source);
      const { encode } = await openTokenizer(folder);
      const paths: string[] = [];
      for (const [dtype, name] of [
        ['float32', 'F32'],
        ['float16', 'F16'],
      ] as const) {
        const to = join(folder, dtype);
        const words = ['--to', to, '--format', 'gguf', '--dtype', dtype];
        expect(await rig.tuneloom('export', `./${family}`, ...words)).toMatchObject({
          exitCode: 0,
          stderr: '',
        });
        paths.push(join(to, `model-${name}.gguf`));
      }
      const answers = await byLlamaCpp(paths.map((model) => ({ model })));
      for (const [index, path] of paths.entries()) {
        expect(answers[index]?.[0]?.ids).toEqual([...encode('the people')]);
        expect(await largestLead(path, answers[index] ?? [])).toBeLessThan(0.03);
      }
    }, 120_000);
  },
);

/** A tokenizer of 31 tokens for the models of families: letters, and one that ends a text. */
const letters = {
  added_tokens: [{ id: 30, content: '</s>', special: true }],
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries([...'abcdefghijklmnopqrstuvwxyzĠ.,-'].map((letter, id) => [letter, id])),
    merges: [],
  },
};

/** llama.cpp knows one scale of Gemma's scores, one pattern of its windows and one base of local positions, and no other windows. */
async function withoutChoices(folder: string): Promise<void> {
  const path = join(folder, 'config.json');
  const { layer_types: _, sliding_window_pattern: __, ...config } = JSON.parse(await readFile(path, 'utf8'));
  const usual = {
    ...(config.model_type === 'mixtral' && { sliding_window: null }),
    ...(config.model_type.startsWith('gemma') && { query_pre_attn_scalar: config.head_dim }),
    ...(config.model_type === 'gemma3_text' && { rope_local_base_freq: 10_000 }),
  };
  await writeFile(path, JSON.stringify({ ...config, ...usual }));
}

describe.skipIf(!hasLlamaCpp).each<[string, number]>([
  ['qwen3', 1e-3],
  ['olmo2', 1e-3],
  ['gpt-neox', 0.03], // another GELU
  ['gpt-neox-serial', 0.03],
  ['phi', 0.03],
  ['gemma2', 0.03],
  ['gemma3', 0.03],
  ['llama-biased', 1e-3],
  ['llama-linear', 1e-3],
  ['llama-llama3', 1e-3],
  ['llama-yarn', 1e-3],
  ['qwen2-yarn', 1e-3],
  ['mixtral', 1e-3],
  ['qwen3-moe', 1e-3],
])(
  `llama.cpp chooses the tokens that tuneloom gives the largest logits, in an exported model of the family %s${reason}`,
  (family, tolerance) => {
    test('in float32 and in float16', async () => {
      const folder = join(rig.folder, 'families', family);
      await cp(join(import.meta.dirname, '../fixtures/model/families', family), folder, { recursive: true });
      await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(letters));
      if (/^(gemma|mixtral)/.test(family)) await withoutChoices(folder);
      const models: string[] = [];
      for (const [dtype, name] of [
        ['float32', 'F32'],
        ['float16', 'F16'],
      ] as const) {
        const to = join(folder, dtype);
        const words = ['--to', to, '--format', 'gguf', '--dtype', dtype];
        const { exitCode, stderr } = await rig.tuneloom('export', `./families/${family}`, ...words);
        expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^(note:.*)?$/s)]);
        models.push(join(to, `model-${name}.gguf`));
      }
      const prompts = ['the', 'a quick brown fox', 'zyx', 'hello-world.'];
      const [exact = [], half = []] = await byLlamaCpp(models.map((model) => ({ model, prompts })));
      const { encode } = await openTokenizer(folder);
      expect(exact.map(({ ids }) => ids)).toEqual(prompts.map((text) => [...encode(text)]));
      expect(await largestLeadIn(folder, exact)).toBeLessThan(tolerance);
      expect(await largestLeadIn(folder, half)).toBeLessThan(0.03);
    }, 120_000);
  },
);

/** Writes a small model whose weights are all 0. */
async function writeZeros(folder: string, vocab_size: number): Promise<void> {
  const config = parseModelConfig(folder, {
    ...{ model_type: 'llama', hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1 },
    ...{ num_attention_heads: 2, max_position_embeddings: 64, tie_word_embeddings: true, vocab_size },
  });
  const layout = parameterLayout(config);
  const read = (parameter: string) =>
    new Float32Array((layout.get(parameter)?.shape ?? []).reduce((product, size) => product * size, 1));
  await writeModelFolder(folder, { config, read });
}

describe.skipIf(!hasLlamaCpp).each(['byte-level', 'llama3', 'qwen2'])(
  `llama.cpp splits texts into the tokens that tuneloom makes with an exported %s tokenizer${reason}`,
  (name) => {
    test('1,200 strings, but those that are not normalized', async () => {
      const folder = join(rig.folder, name);
      const [strings, json] = await Promise.all(
        ['strings.json', `${name}.json`].map(async (each) =>
          JSON.parse(await readFile(join(import.meta.dirname, '../fixtures/text/tokenizers', each), 'utf8')),
        ),
      );
      await writeZeros(folder, vocabularyOf(json).size);
      await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json));
      await writeFile(join(folder, 'tokenizer_config.json'), '{"eos_token": "</s>"}');
      const to = join(rig.folder, `${name}-gguf`);
      await rig.tuneloom('export', `./${name}`, '--to', to, '--format', 'gguf');
      const { encode } = await openTokenizer(folder);
      const prompts = (strings as string[]).filter(
        (text) => text !== '' && !text.includes('\0') && (name !== 'qwen2' || text === text.normalize('NFC')),
      );
      const [answers = []] = await byLlamaCpp([{ model: join(to, 'model-F32.gguf'), prompts, count: 0 }]);
      expect(answers.map(({ ids }) => ids)).toEqual(prompts.map((text) => [...encode(text)]));
    }, 120_000);
  },
);

test.skipIf(!hasLlamaCpp).each(['llama', 'gemma'] as const)(
  `llama.cpp makes SentencePiece’s tokens with an exported vocabulary like that of %s${reason}`,
  async (name) => {
    const { tokens, scores, token_type, add_space_prefix, ids } = sentencePieces.vocabularies[name];
    const folder = join(rig.folder, `pieces-${name}`);
    await writeZeros(folder, tokens.length);
    const keys = { model: 'llama', tokens, scores, token_type, add_space_prefix, eos_token_id: 2 };
    const metadata = new Map(Object.entries(keys).map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
    await writeGgufTokenizer(folder, { path: name, metadata });
    const to = join(rig.folder, `pieces-${name}-gguf`);
    await rig.tuneloom('export', `./pieces-${name}`, '--to', to, '--format', 'gguf');
    const prompts = sentencePieces.texts.map((text) => text || 'a');
    const [answers = []] = await byLlamaCpp([{ model: join(to, 'model-F32.gguf'), prompts, count: 0 }]);
    const found = answers.filter((_, index) => sentencePieces.texts[index] !== '');
    expect(found.map((answer) => answer.ids)).toEqual(
      ids.filter((_, index) => sentencePieces.texts[index] !== ''),
    );
  },
  120_000,
);

test.skipIf(!hasLlamaCpp)(
  `llama.cpp adds an exported LoRA adapter to its base as tuneloom merges it${reason}`,
  async () => {
    const row = (animal: string) => `${JSON.stringify({ id: animal, text: `the ${animal} of the town` })}\n`;
    await rig.write('rows.jsonl', ['dog', 'cat'].map(row).join(''));
    await rig.write(
      'adapt.yaml',
      `name: adapt
stages:
  base: { uses: load, with: { model: ${fixture('llama.gguf')} } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: completion } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 2, max_length: 32 } }
  train:
    from: { model: base, train: collate }
    with: { epochs: 4, lora: { r: 2, alpha: 5, use_rslora: true }, optimizer: { learning_rate: 0.1 } }
`,
    );
    expect((await rig.tuneloom('run', 'adapt.yaml')).stderr).not.toContain('error');
    const out = (name: string) => join(rig.folder, 'adapted', name);
    await rig.tuneloom('export', 'adapt.yaml', 'base', '--to', out('base'), '--format', 'gguf');
    await rig.tuneloom('export', 'adapt.yaml', 'train', '--to', out('merged'), '--format', 'gguf');
    await rig.tuneloom('export', 'adapt.yaml', 'train', '--to', out('lora'), '--format', 'gguf-lora');
    const [base, merged] = [join(out('base'), 'model-F32.gguf'), join(out('merged'), 'model-F32.gguf')];
    const requests = [
      { model: base },
      { model: base, adapter: join(out('lora'), 'adapter.gguf') },
      { model: merged },
    ];
    const [plain = [], adapted = [], whole = []] = await byLlamaCpp(requests);
    expect(adapted).toEqual(whole);
    expect(adapted).not.toEqual(plain);
    expect(await largestLead(merged, whole)).toBeLessThan(1e-3);
  },
  120_000,
);

const smollm2 = process.env.TUNELOOM_SMOLLM2;
const isReal = hasLlamaCpp && smollm2 !== undefined;
test.skipIf(!isReal)(
  `llama.cpp answers as tuneloom does with an exported SmolLM2, in float32 and in float16${isReal ? '' : ' (skipped: TUNELOOM_SMOLLM2 or TUNELOOM_LLAMA_CPP is not set)'}`,
  async () => {
    const texts = ['The capital of France is', 'Once upon a time, there was', 'Water boils when'];
    const rows = texts.map((text, index) => `${JSON.stringify({ id: `${index}`, text })}\n`);
    await rig.write('texts.jsonl', rows.join(''));
    const pipeline = (model: string) => `name: real
stages:
  base: { uses: load, with: { model: ${model} } }
  load: { with: { records: texts.jsonl } }
  format: { from: load, with: { template: { prompt: '{{ text }}' } } }
  generate: { from: { model: base, prompts: format }, with: { max_new_tokens: ${count}, clean: false } }
`;
    await rig.write('real.yaml', pipeline(smollm2 ?? ''));
    expect((await rig.tuneloom('run', 'real.yaml', 'base')).exitCode).toBe(0);
    for (const [dtype, name] of [
      ['float32', 'F32'],
      ['float16', 'F16'],
    ] as const) {
      const words = ['--to', `real/${dtype}`, '--format', 'gguf', '--dtype', dtype];
      expect(await rig.tuneloom('export', 'real.yaml', 'base', ...words)).toMatchObject({
        exitCode: 0,
        stderr: '',
      });
      const model = join(rig.folder, 'real', dtype, `model-${name}.gguf`);
      await rig.write('real.yaml', pipeline(model));
      expect((await rig.tuneloom('run', 'real.yaml')).exitCode).toBe(0);
      const answers = await readFile(join(rig.folder, 'artifacts/outputs/real/generate/responses'), 'utf8');
      const own = answers
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).response);
      const { decode } = await openTokenizer(join(rig.folder, 'artifacts/outputs/real/base/tokenizer'));
      const [theirs = []] = await byLlamaCpp([{ model, prompts: texts }]);
      expect(own).toEqual(theirs.map(({ next }) => decode(next)));
      await rig.write('real.yaml', pipeline(smollm2 ?? ''));
    }
  },
  600_000,
);
