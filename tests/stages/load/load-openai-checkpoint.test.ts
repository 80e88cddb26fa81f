import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import r50k from 'gpt-tokenizer/bpeRanks/r50k_base';
import { expect, test } from 'vitest';
import { openModelFolder } from '../../../src/model/folder/model-folder.ts';
import { openOpenaiCheckpoint } from '../../../src/model/openai-checkpoint.ts';
import * as load from '../../../src/stages/load/run-load.ts';
import { openEncoding } from '../../../src/text/tokenizer/encoding-tokenizer.ts';
import { openTokenizer } from '../../../src/text/tokenizer/open-tokenizer.ts';
import { writeOpenaiTokenizer } from '../../../src/text/tokenizer/openai-tokenizer.ts';
import expected from '../../fixtures/model/openai-gpt2/expected.json' with { type: 'json' };
import { openStageRig, type StageRig } from '../stage-rig.ts';

const fixture = join(import.meta.dirname, '../../fixtures/model/openai-gpt2');
const outputs = { model: 'model', tokenizer: 'tokenizer' };

test('OpenAI’s checkpoint becomes a folder in Hugging Face’s layout with the values that TensorFlow wrote', async () => {
  await using rig = await openStageRig();
  await rig.run(load, { config: { type: 'auto', model: fixture }, outputs });
  expect((await readdir(rig.path('model'))).sort()).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  await using model = await openModelFolder(rig.path('model'));
  const { family, hiddenSize, layers, heads, contextLength, vocabularySize, tied } = model.config;
  expect({ family, hiddenSize, layers, heads, contextLength, vocabularySize, tied }).toEqual({
    ...{
      family: 'gpt2',
      hiddenSize: 8,
      layers: 2,
      heads: 2,
      contextLength: 16,
      vocabularySize: 262,
      tied: true,
    },
  });
  const names: Readonly<Record<string, string>> = { g: 'weight', w: 'weight', b: 'bias' };
  for (const [stored, base64] of Object.entries(expected)) {
    const [, block = '', kind = ''] = /^model\/(.+?)(?:\/([gwb]))?$/.exec(stored) ?? [];
    const name = `transformer.${block.replace(/^h(\d+)/, 'h.$1').replaceAll('/', '.')}.${names[kind] ?? 'weight'}`;
    const values = await model.read(name);
    expect([name, Buffer.from(values.buffer).toString('base64')]).toEqual([name, base64]);
  }
  expect(Object.keys(expected)).toHaveLength(2 + 2 + 2 * 12);
  const tokenizer = await openTokenizer(rig.path('tokenizer'));
  expect([...tokenizer.encode(' hello')]).toEqual([260]); // the fifth merge
  expect(tokenizer.endOfText).toBe(261);
});

test('it can be given a separate head', async () => {
  await using rig = await openStageRig();
  await rig.run(load, { config: { type: 'auto', model: fixture, untie_head: true }, outputs });
  await using model = await openModelFolder(rig.path('model'));
  expect(await model.read('lm_head.weight')).toEqual(await model.read('transformer.wte.weight'));
});

/** OpenAI's files for GPT-2, put together from gpt-tokenizer's table: token 256 + n is what merge n makes. */
async function writeGpt2Vocabulary(folder: string): Promise<void> {
  const printable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte < 173) || byte > 173;
  const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !printable(byte));
  const sign = (byte: number) => String.fromCharCode(printable(byte) ? byte : 256 + others.indexOf(byte));
  const bytes = r50k.map((token) => (typeof token === 'string' ? [...Buffer.from(token)] : [...token]));
  const tokens = bytes.map((token) => token.map(sign).join(''));
  const ranks = new Map(tokens.map((token, id) => [token, id]));
  const merges = tokens.slice(256).map((token) => {
    let parts = [...token];
    // The parts of a token are what merges of lower rank leave of it.
    while (parts.length > 2) {
      const pairs = parts
        .slice(1)
        .map((part, index) => ranks.get(`${parts[index]}${part}`) ?? Number.POSITIVE_INFINITY);
      const at = pairs.indexOf(Math.min(...pairs));
      parts = [...parts.slice(0, at), `${parts[at]}${parts[at + 1]}`, ...parts.slice(at + 2)];
    }
    return parts.join(' ');
  });
  const vocabulary = Object.fromEntries([...tokens, '<|endoftext|>'].map((token, id) => [token, id]));
  await mkdir(folder);
  await writeFile(join(folder, 'encoder.json'), JSON.stringify(vocabulary));
  await writeFile(join(folder, 'vocab.bpe'), `#version: 0.2\n${merges.join('\n')}\n`);
}

test('encoder.json and vocab.bpe of GPT-2 encode as r50k_base does', async () => {
  await using rig = await openStageRig();
  await writeGpt2Vocabulary(rig.path('gpt2'));
  await mkdir(rig.path('tokenizer'));
  await writeOpenaiTokenizer({ from: rig.path('gpt2'), to: rig.path('tokenizer') });
  const [ours, theirs] = [await openTokenizer(rig.path('tokenizer')), await openEncoding('r50k_base')];
  expect([ours.vocabularySize, ours.endOfText]).toEqual([theirs.vocabularySize, theirs.endOfText]);
  const pieces = [
    'Hello',
    ' world',
    "'ll",
    ' 1234567',
    '\n\n',
    '  ',
    'naïve',
    ' Straße',
    '你好',
    '🙂👩‍👩‍👧',
    '\t',
    ' ...',
  ];
  const more = ['<|endoftext|>', ' אבג', 'ﬀ', '\u00a0', ' x²', '#!/bin/sh', ' İ', '\u200b', 'e\u0301'];
  const all = [...pieces, ...more];
  const texts = all.flatMap((a) => all.map((b) => `${a}${b}`)).concat('', all.join(''), all.join(' '));
  expect(texts.length).toBeGreaterThan(400);
  for (const text of texts) {
    expect([text, [...ours.encode(text)]]).toEqual([text, [...theirs.encode(text)]]);
    expect(ours.decode(ours.encode(text))).toBe(text);
  }
});

async function damaged(rig: StageRig, change: (folder: string) => Promise<void>): Promise<unknown> {
  await cp(fixture, rig.path('damaged'), { recursive: true });
  await change(rig.path('damaged'));
  return rig.run(load, { config: { type: 'auto', model: rig.path('damaged') }, outputs }).then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message.replaceAll(`${rig.path('damaged')}`, 'FOLDER')}`,
  );
}

const index = 'model.ckpt.index';
const data = 'model.ckpt.data-00000-of-00001';
const rewritten = (name: string, change: (bytes: Buffer) => Buffer) => async (folder: string) =>
  writeFile(join(folder, name), change(await readFile(join(folder, name))));
const flipped = (at: number) => (bytes: Buffer) => {
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return bytes;
};

test.each<[string, (folder: string) => Promise<void>, string]>([
  [
    'an index that is cut short',
    rewritten(index, (bytes) => bytes.subarray(0, 500)),
    `FOLDER/${index} is not a checkpoint's index: it does not end like a table`,
  ],
  [
    'an empty index',
    rewritten(index, () => Buffer.alloc(0)),
    `FOLDER/${index} is not a checkpoint's index: it is too short for a table`,
  ],
  [
    'a flipped bit in the index',
    rewritten(index, flipped(30)),
    `FOLDER/${index} is not a checkpoint's index: the checksum of one of its blocks is wrong`,
  ],
  [
    'a footer that names a place beyond the file',
    rewritten(index, (bytes) => {
      bytes.fill(0x7f, bytes.length - 48, bytes.length - 44);
      return bytes;
    }),
    `FOLDER/${index} is not a checkpoint's index: `,
  ],
  [
    'data that is cut short',
    rewritten(data, (bytes) => bytes.subarray(0, 9000)),
    `FOLDER/${data} has 9000 bytes and cannot hold `,
  ],
  [
    'a flipped bit in the data',
    rewritten(data, flipped(-1)),
    `FOLDER/${data} is damaged: the checksum of \`model/wte\` is wrong`,
  ],
  [
    'hparams of another model',
    rewritten('hparams.json', () =>
      Buffer.from('{"n_vocab":262,"n_ctx":16,"n_embd":4,"n_head":2,"n_layer":2}'),
    ),
    'FOLDER has `model/wte` of shape [262,8], but hparams.json asks for [262,4]',
  ],
  [
    'hparams with a huge number of layers',
    rewritten('hparams.json', () =>
      Buffer.from('{"n_vocab":262,"n_ctx":16,"n_embd":8,"n_head":2,"n_layer":9999}'),
    ),
    'FOLDER claims 9999 layers, but has 28 tensors',
  ],
  [
    'hparams with fewer layers',
    rewritten('hparams.json', () =>
      Buffer.from('{"n_vocab":262,"n_ctx":16,"n_embd":8,"n_head":2,"n_layer":1}'),
    ),
    'FOLDER has the tensor `model/h1/attn/c_attn/b`, which its hparams.json does not ask for',
  ],
  [
    'a merge that is none',
    rewritten('vocab.bpe', () => Buffer.from('#version: 0.2\nh e\nq q\n')),
    'FOLDER/vocab.bpe:3 is not a pair of tokens',
  ],
])('%s is a clear error', async (_, change, message) => {
  await using rig = await openStageRig();
  expect(await damaged(rig, change)).toContain(`UserError: ${message}`);
});

test('a flipped byte of an index gives a UserError, or no error if nothing reads it', async () => {
  await using rig = await openStageRig();
  await cp(fixture, rig.path('flipped'), { recursive: true });
  const bytes = await readFile(join(fixture, index));
  for (let at = 0; at < bytes.length; at += 3) {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 0xff;
    await writeFile(rig.path(`flipped/${index}`), copy);
    await openOpenaiCheckpoint(rig.path('flipped')).then(
      (checkpoint) => checkpoint[Symbol.asyncDispose](),
      (error: Error) => expect([at, error.name]).toEqual([at, 'UserError']),
    );
  }
});
