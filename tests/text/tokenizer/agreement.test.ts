import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openGguf } from '../../../src/formats/gguf/open-gguf.ts';
import { writeGgufTokenizer } from '../../../src/text/tokenizer/gguf-tokenizer.ts';
import { openTokenizer } from '../../../src/text/tokenizer/open-tokenizer.ts';
import type { Tokenizer } from '../../../src/text/tokenizer/tokenizer.ts';
import { openStageRig } from '../../stages/stage-rig.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/text/tokenizers/${name}`, import.meta.url));
const strings: readonly string[] = JSON.parse(await readFile(fixture('strings.json'), 'utf8'));

/** The strings whose ids or decoded text differ from those of Python's tokenizers. */
async function differences(name: string, tokenizer: Tokenizer) {
  const expected = (await readFile(fixture(`${name}.txt`), 'utf8')).trimEnd().split('\n');
  expect(expected).toHaveLength(strings.length);
  return strings.flatMap((text, index) => {
    const ids = tokenizer.encode(text);
    const decoded = tokenizer.decode(ids);
    const digest = createHash('sha256')
      .update(`${[...ids].join()}|${decoded}`)
      .digest('hex')
      .slice(0, 8);
    return digest === expected[index] ? [] : [{ text, ids: [...ids].join(), decoded }];
  });
}

test.each(['byte-level', 'llama3', 'qwen2', 'llama2', 'metaspace-first', 'metaspace-always', 'unigram'])(
  '%s: 1,200 strings are encoded and decoded as by Python’s tokenizers',
  async (name) => {
    await using rig = await openStageRig();
    await mkdir(rig.path('tokenizer'));
    await copyFile(fixture(`${name}.json`), rig.path('tokenizer/tokenizer.json'));
    await writeFile(rig.path('tokenizer/tokenizer_config.json'), '{"eos_token": "</s>"}');
    expect(await differences(name, await openTokenizer(rig.path('tokenizer')))).toEqual([]);
  },
);

const files = [
  { model: 'SmolLM2', name: 'smollm2', variable: 'TUNELOOM_SMOLLM2' },
  { model: 'Gemma 3', name: 'gemma3', variable: 'TUNELOOM_GEMMA3' },
].map((each) => ({ ...each, path: process.env[each.variable] }));
for (const { model, name, variable, path } of files)
  test.skipIf(path === undefined)(
    `the vocabulary of ${model}’s GGUF file does the same${path === undefined ? ` (${variable} names no file)` : ''}`,
    async () => {
      await using rig = await openStageRig();
      await mkdir(rig.path('tokenizer'));
      await using gguf = await openGguf(path ?? '');
      await writeGgufTokenizer(rig.path('tokenizer'), gguf);
      expect(await differences(name, await openTokenizer(rig.path('tokenizer')))).toEqual([]);
    },
    60_000,
  );

test('a WordPiece vocabulary is refused, since no model that writes text has one', async () => {
  await using rig = await openStageRig();
  await mkdir(rig.path('tokenizer'));
  const json = { model: { type: 'WordPiece', unk_token: '[UNK]', vocab: { '[UNK]': 0 } } };
  await writeFile(rig.path('tokenizer/tokenizer.json'), JSON.stringify(json));
  await expect(openTokenizer(rig.path('tokenizer'))).rejects.toThrow('it has a WordPiece vocabulary');
});
