import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openEncoding } from '../../../src/text/tokenizer/encoding-tokenizer.ts';
import { type EncodingName, encodingNames } from '../../../src/text/tokenizer/encodings.ts';

const fixture = (name: string) =>
  readFile(new URL(`../../fixtures/text/encodings/${name}`, import.meta.url), 'utf8');
/** A string is a list of texts, each with the number of times that it is repeated. */
const strings: readonly (readonly (readonly [string, number])[])[] = JSON.parse(
  await fixture('strings.json'),
);
const texts = strings.map((parts) => parts.map(([text, times]) => text.repeat(times)).join(''));

test.each(encodingNames as readonly EncodingName[])(
  '%s: 1,000 strings of all Unicode categories and long runs are encoded as by tiktoken, and decoded to themselves',
  async (name) => {
    const expected = (await fixture(`${name}.txt`)).trimEnd().split('\n');
    expect(expected).toHaveLength(strings.length);
    const { encode, decode } = await openEncoding(name);
    const differences = texts.flatMap((text, index) => {
      const ids = encode(text);
      const digest = createHash('sha256')
        .update([...ids].join())
        .digest('hex')
        .slice(0, 8);
      const isSame = digest === expected[index] && decode(ids) === text;
      return isSame ? [] : [{ parts: strings[index], ids: ids.slice(0, 20).join() }];
    });
    expect(differences).toEqual([]);
  },
  60_000,
);

test.each([
  ['cl100k_base', [3305, 65, 316]],
  ['o200k_base', [5574, 146_878]],
] as const)('%s: a byte order mark belongs to the word after it', async (name, ids) => {
  expect([...(await openEncoding(name)).encode('\uFEFFbom')]).toEqual(ids);
});

test.each([
  ['r50k_base', 50_257, { '<|endoftext|>': 50_256 }],
  ['p50k_base', 50_281, { '<|endoftext|>': 50_256 }],
  [
    'cl100k_base',
    100_277,
    { '<|endoftext|>': 100_257, '<|fim_middle|>': 100_259, '<|endofprompt|>': 100_276 },
  ],
  ['o200k_base', 200_019, { '<|endoftext|>': 199_999, '<|endofprompt|>': 200_018 }],
  ['o200k_harmony', 201_088, { '<|start|>': 200_006, '<|reserved_201087|>': 201_087 }],
] as const)('%s has the size and the special tokens that tiktoken gives it', async (name, size, special) => {
  const tokenizer = await openEncoding(name);
  expect(tokenizer.vocabularySize).toBe(size);
  for (const [text, id] of Object.entries(special)) {
    expect([...tokenizer.encode([{ text: 'a' }, { text, special: true }])].at(-1)).toBe(id);
    expect(tokenizer.decode([id])).toBe(text);
    expect(tokenizer.encode(text).includes(id)).toBe(false);
  }
});

test('bytes that end within a character are decoded to U+FFFD, and leave nothing for the next text', async () => {
  const { encode, decode } = await openEncoding('r50k_base');
  const [first = 0] = encode('日');
  expect([decode([first]), decode(encode('a'))]).toEqual(['\uFFFD', 'a']);
});
