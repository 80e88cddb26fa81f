import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import { plainValue } from '../../../src/formats/gguf/write-gguf.ts';
import { ggufTokenizer, writeGgufTokenizer } from '../../../src/text/tokenizer/gguf-tokenizer.ts';
import { ggufVocabulary } from '../../../src/text/tokenizer/gguf-vocabulary.ts';
import { openJsonTokenizer } from '../../../src/text/tokenizer/json-tokenizer.ts';
import { openTokenizer } from '../../../src/text/tokenizer/open-tokenizer.ts';
import { vocabularyOf } from '../../../src/text/tokenizer/vocabulary.ts';
import sentencePieces from '../../fixtures/text/sentence-pieces.json' with { type: 'json' };
import { openStageRig, type StageRig } from '../../stages/stage-rig.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/text/tokenizers/${name}`, import.meta.url));
const strings: readonly string[] = JSON.parse(await readFile(fixture('strings.json'), 'utf8'));

/** Describes a fixture's tokenizer, with these changes, and returns the values without their types. */
async function describeTokenizer(
  rig: StageRig,
  {
    name = 'byte-level',
    change = {},
    config = {},
    ends = [],
    unused = 0,
  }: { name?: string; change?: object; config?: object; ends?: readonly number[]; unused?: number },
) {
  const folder = rig.path('.');
  await copyFile(fixture(`${name}.json`), join(folder, 'tokenizer.json'));
  const json = { ...JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8')), ...change };
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: '</s>', ...config }));
  const rows = vocabularyOf(json).size + unused;
  const { metadata, notes } = await ggufVocabulary({ folder, rows, ends });
  const values = new Map([...metadata].map(([key, value]) => [key, plainValue(value)]));
  return { folder, values, notes, rows };
}

test.each([
  ['byte-level', 'gpt-2'],
  ['llama3', 'llama-bpe'],
  ['qwen2', 'qwen2'],
])('%s: what is read back encodes 1,200 strings as before, by the rule %s', async (name, rule) => {
  await using rig = await openStageRig();
  const { folder, values, notes } = await describeTokenizer(rig, { name });
  expect(values.get('tokenizer.ggml.pre')).toBe(rule);
  expect(notes.length).toBe(name === 'qwen2' ? 1 : 0); // it normalizes
  const { tokenizer, config } = ggufTokenizer({ path: 'again', metadata: values });
  const again = openJsonTokenizer({ path: 'again', text: JSON.stringify(tokenizer), config });
  const original = await openTokenizer(folder);
  for (const text of strings)
    if (name !== 'qwen2' || text === text.normalize('NFC'))
      expect([text, ...again.encode(text)]).toEqual([text, ...original.encode(text)]);
});

test('types, placeholders, ends and chat templates stand where llama.cpp looks for them', async () => {
  await using rig = await openStageRig();
  const chat_template = [
    { name: 'default', template: 'a' },
    { name: 'tool_use', template: 'b' },
  ];
  const ends = [2, 5, 6, 7];
  const { values, notes, rows } = await describeTokenizer(rig, {
    config: { chat_template },
    ends,
    unused: 2,
  });
  const types = values.get('tokenizer.ggml.token_type') as readonly number[];
  const tokens = values.get('tokenizer.ggml.tokens') as readonly string[];
  expect([tokens.length, tokens.slice(-2), types.slice(-2)]).toEqual([
    rows,
    [`[PAD${rows - 2}]`, `[PAD${rows - 1}]`],
    [5, 5],
  ]);
  const named = ['eos', 'eot', 'eom'].map((name) => values.get(`tokenizer.ggml.${name}_token_id`));
  expect(named).toEqual([
    tokens.indexOf('</s>'),
    ...ends.filter((id) => id !== tokens.indexOf('</s>')).slice(0, 2),
  ]);
  expect(notes.length).toBe(1);
  expect(['', '.tool_use', 's'].map((end) => values.get(`tokenizer.chat_template${end}`))).toEqual([
    'a',
    'b',
    ['tool_use'],
  ]);
});

describe('a post-processor', () => {
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const template = (...single: object[]) => ({
    type: 'TemplateProcessing',
    single,
    pair: [],
    special_tokens: Object.fromEntries(
      ['<s>', '</s>'].map((id, index) => [id, { id, ids: [2 + index], tokens: [id] }]),
    ),
  });
  test.each<[string, object | null, readonly [boolean, boolean]]>([
    ['that adds nothing', null, [false, false]],
    ['that adds the beginning', template(special('<s>'), text), [true, false]],
    [
      'among others that adds both ends',
      {
        type: 'Sequence',
        processors: [{ type: 'ByteLevel' }, template(special('<s>'), text, special('</s>'))],
      },
      [true, true],
    ],
  ])('%s sets the flags', async (_, post_processor, flags) => {
    await using rig = await openStageRig();
    const { values } = await describeTokenizer(rig, { change: { post_processor } });
    expect(['bos', 'eos'].map((name) => values.get(`tokenizer.ggml.add_${name}_token`))).toEqual(flags);
  });

  test('that adds two tokens before a text is refused', async () => {
    await using rig = await openStageRig();
    const change = { post_processor: template(special('<s>'), special('<s>'), text) };
    await expect(describeTokenizer(rig, { change })).rejects.toThrow(
      'its `post_processor` adds more than one token before and one after a text',
    );
  });
});

test.each(['llama', 'gemma'] as const)(
  'a SentencePiece vocabulary like that of %s is written with the order of its merges, its types and its spaces',
  async (name) => {
    await using rig = await openStageRig();
    const { add_space_prefix, tokens, scores, token_type } = sentencePieces.vocabularies[name];
    const source = new Map<string, Json>([
      ['tokenizer.ggml.model', 'llama'],
      ['tokenizer.ggml.tokens', tokens],
      ['tokenizer.ggml.scores', scores],
      ['tokenizer.ggml.token_type', token_type],
      ['tokenizer.ggml.add_space_prefix', add_space_prefix],
      ['tokenizer.ggml.bos_token_id', 1],
      ['tokenizer.ggml.eos_token_id', 2],
      ['tokenizer.ggml.unknown_token_id', 0],
    ]);
    const folder = rig.path('.');
    await writeGgufTokenizer(folder, { path: 'first', metadata: source });
    const { metadata, notes } = await ggufVocabulary({ folder, rows: tokens.length, ends: [2] });
    expect(notes).toEqual([]);
    const values = new Map([...metadata].map(([key, value]) => [key, plainValue(value)]));
    const written = (key: string) => values.get(`tokenizer.ggml.${key}`);
    expect([written('model'), written('pre'), written('add_space_prefix')]).toEqual([
      'llama',
      'default',
      add_space_prefix,
    ]);
    expect(written('tokens')).toEqual(tokens);
    expect(written('token_type')).toEqual(token_type);
    const again = { path: 'again', metadata: values };
    expect(ggufTokenizer(again)).toEqual(ggufTokenizer({ path: 'first', metadata: source }));
  },
);

test.each([
  ['unigram', 'only a vocabulary of BPE can be written'],
  ['llama2', 'it never joins "▁x" and "₁", which llama.cpp does, because they make a token'],
  ['metaspace-first', 'it never joins "▁" and "▁▁", which llama.cpp does, because they make a token'],
])('%s is refused, since llama.cpp would make other tokens', async (name, message) => {
  await using rig = await openStageRig();
  await expect(describeTokenizer(rig, { name })).rejects.toThrow(
    `the tokenizer cannot be written as GGUF: ${message}`,
  );
});
