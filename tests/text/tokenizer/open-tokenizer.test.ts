import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openEncoding } from '../../../src/text/tokenizer/encoding-tokenizer.ts';
import {
  copyTokenizer,
  openTokenizer,
  writeEncodingName,
} from '../../../src/text/tokenizer/open-tokenizer.ts';
import { openStageRig } from '../../stages/stage-rig.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/text/${name}`, import.meta.url));
const expected: Record<string, { text: string; ids: number[]; decoded: string }[]> = JSON.parse(
  await readFile(fixture('tokenizers.json'), 'utf8'),
);

async function fixtureFolder(rig: Awaited<ReturnType<typeof openStageRig>>, name: string) {
  await mkdir(rig.path('tokenizer'));
  await copyFile(fixture(`${name}.tokenizer.json`), rig.path('tokenizer/tokenizer.json'));
  return rig.path('tokenizer');
}

describe.each(Object.keys(expected))('%s tokenizer.json', (name) => {
  test("encodes and decodes as Python's tokenizers do", async () => {
    await using rig = await openStageRig();
    const tokenizer = await openTokenizer(await fixtureFolder(rig, name));
    const ours = (expected[name] ?? []).map(({ text }) => {
      const ids = tokenizer.encode(text);
      return { text, ids: [...ids], decoded: tokenizer.decode(ids) };
    });
    expect(ours).toEqual(expected[name]);
  });

  test('has the same identity wherever it is copied to, and knows its end of text', async () => {
    await using rig = await openStageRig();
    const from = await fixtureFolder(rig, name);
    await mkdir(rig.path('copy'));
    await writeFile(`${from}/config.json`, '{}');
    await copyTokenizer({ from, to: rig.path('copy') });
    const [original, copy] = await Promise.all([openTokenizer(from), openTokenizer(rig.path('copy'))]);
    expect(copy.vocabulary).toBe(original.vocabulary);
    expect(original.vocabulary).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(original.decode([original.endOfText])).toBe('<|endoftext|>');
  });

  test('text never becomes a special token', async () => {
    await using rig = await openStageRig();
    const tokenizer = await openTokenizer(await fixtureFolder(rig, name));
    expect([...tokenizer.encode('a <|endoftext|> b')]).not.toContain(tokenizer.endOfText);
  });
});

describe('an encoding', () => {
  test('r50k_base has GPT-2’s vocabulary and end of text', async () => {
    const { vocabulary, vocabularySize, endOfText } = await openEncoding('r50k_base');
    expect({ vocabulary, vocabularySize, endOfText }).toEqual({
      vocabulary: 'r50k_base',
      vocabularySize: 50257,
      endOfText: 50256,
    });
  });

  test('text never becomes a special token: <|user|> is 27, 91, 7220, 91, 29', async () => {
    const tokenizer = await openEncoding('r50k_base');
    expect([...tokenizer.encode('<|user|>')]).toEqual([27, 91, 7220, 91, 29]);
    expect([...tokenizer.encode('<|endoftext|>')]).toEqual([27, 91, 437, 1659, 5239, 91, 29]);
  });

  test('any text comes back from its tokens', async () => {
    const tokenizer = await openEncoding('r50k_base');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  test('ids beyond the vocabulary stand for no text', async () => {
    const tokenizer = await openEncoding('r50k_base');
    expect(tokenizer.decode([50300, 64, 1_000_000])).toBe('a');
  });

  test('is opened from a folder that names it', async () => {
    await using rig = await openStageRig();
    await writeEncodingName(rig.folder, 'cl100k_base');
    expect((await openTokenizer(rig.folder)).vocabulary).toBe('cl100k_base');
  });
});

describe('a folder that holds no usable tokenizer is refused with what to do', () => {
  test.each([
    ['nothing', {}, 'has neither a tokenizer.json nor an encoding.json'],
    [
      'an unknown encoding',
      { 'encoding.json': '{"encoding":"r50k"}' },
      'names the encoding "r50k", which is unknown',
    ],
    [
      'a broken tokenizer.json',
      { 'tokenizer.json': '{"model":' },
      'cannot be used as a tokenizer: it is not JSON',
    ],
    [
      'a tokenizer.json of something else',
      { 'tokenizer.json': '{}' },
      'cannot be used as a tokenizer: it has no `model`',
    ],
    [
      'a tokenizer without an end of text',
      { 'tokenizer.json': '{"model":{"type":"WordLevel","vocab":{"a":0}}}' },
      'has no token `<|endoftext|>` or `</s>` to end a text',
    ],
  ])('%s', async (_, files, message) => {
    await using rig = await openStageRig();
    for (const [name, content] of Object.entries(files)) await rig.write(name, content);
    await expect(openTokenizer(rig.folder)).rejects.toThrow(message);
  });
});
