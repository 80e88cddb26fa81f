import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import { openGguf } from '../../../src/formats/gguf/open-gguf.ts';
import { ggufTokenizer } from '../../../src/text/tokenizer/gguf-tokenizer.ts';
import { openJsonTokenizer } from '../../../src/text/tokenizer/json-tokenizer.ts';
import type { Tokenizer } from '../../../src/text/tokenizer/tokenizer.ts';
import expected from '../../fixtures/model/gguf/models.json' with { type: 'json' };
import published from '../../fixtures/model/gguf/split-rules.json' with { type: 'json' };
import sentencePieces from '../../fixtures/text/sentence-pieces.json' with { type: 'json' };

const path = join(import.meta.dirname, '../../fixtures/model/gguf/llama.gguf');

describe.each(Object.entries(expected.ids))('under the rule %s', (rule, ids) => {
  test('texts have the ids that llama.cpp gives them, special tokens’ names among them', async () => {
    const { encode } = await open({ 'tokenizer.ggml.pre': rule });
    const found = ids.map((_, index) => Array.from(encode(expected.texts[index] ?? '')));
    expect(found).toEqual(ids);
  });
});

describe.each(Object.entries(published))('under the rule %s', (rule, ids) => {
  test('texts have the ids that the published tokenizers give them', async () => {
    const { encode } = await open({ 'tokenizer.ggml.pre': rule });
    expect(ids.map((_, index) => Array.from(encode(expected.texts[index] ?? '')))).toEqual(ids);
  });
});

test.each([
  ['gpt-2', ['phi-2', 'olmo', 'mpt']],
  ['smollm', ['starcoder', 'refact', 'command-r', 'codeshell']],
  ['llama-bpe', ['llama3', 'llama-v3']],
  ['dbrx', ['smaug-bpe']],
  ['qwen2', ['deepseek-r1-qwen']],
])('llama.cpp has other names for the rule %s: %s', async (rule, others) => {
  const tokenizerOf = async (name: string) => ggufTokenizer(await source({ 'tokenizer.ggml.pre': name }));
  const same = await tokenizerOf(rule);
  for (const name of others) expect(await tokenizerOf(name)).toEqual(same);
});

test('a file that names no rule has the default one', async () => {
  const { tokenizer } = ggufTokenizer(await source({ 'tokenizer.ggml.pre': undefined }));
  expect(tokenizer).toEqual(ggufTokenizer(await source({ 'tokenizer.ggml.pre': 'default' })).tokenizer);
});

test('every text decodes to itself', async () => {
  const { encode, decode } = await open({});
  expect(expected.texts.map((text) => decode(encode(text)))).toEqual(expected.texts);
});

test('the tokens with a role and the chat template are named as Hugging Face names them', async () => {
  const changes = { 'tokenizer.ggml.padding_token_id': 0, 'tokenizer.ggml.unknown_token_id': 0 };
  expect(ggufTokenizer(await source(changes)).config).toEqual({
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    bos_token: '<|im_start|>',
    eos_token: '<|im_end|>',
    unk_token: '<|endoftext|>',
    pad_token: '<|endoftext|>',
    chat_template: '{% for message in messages %}{{ message.content }}{% endfor %}',
  });
  expect((await open(changes)).endOfText).toBe(2);
});

test('the setting that texts begin with a token is kept for other programs, and texts are encoded without it', async () => {
  const changes = { 'tokenizer.ggml.add_bos_token': true };
  expect(ggufTokenizer(await source(changes)).tokenizer.post_processor).toEqual({
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<|im_start|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [
      { SpecialToken: { id: '<|im_start|>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: { '<|im_start|>': { id: '<|im_start|>', ids: [1], tokens: ['<|im_start|>'] } },
  });
  // As in llama.cpp, which adds it for `llama-bpe` unless the file says otherwise.
  const llama = { 'tokenizer.ggml.pre': 'llama-bpe', 'tokenizer.ggml.add_bos_token': undefined };
  const declined = { ...llama, 'tokenizer.ggml.add_bos_token': false };
  const adds = async (given: object) => (await open(given as typeof changes)).addsStart;
  expect(await Promise.all([{}, changes, llama, declined].map(adds))).toEqual([false, true, true, false]);
  expect((await open(changes)).encode('the end')).toEqual((await open({})).encode('the end'));
});

test('a token that its author defined is found in a text before anything else', async () => {
  const { metadata } = await source({});
  const types = metadata.get('tokenizer.ggml.token_type');
  if (!Array.isArray(types)) throw new Error('the fixture has no types');
  const userDefined = await open({ 'tokenizer.ggml.token_type': types.with(1, 4) });
  expect(Array.from(userDefined.encode('<|im_start|><|im_end|>')).slice(0, 2)).toEqual([
    1,
    ...Array.from(userDefined.encode('<|im_end|>')).slice(0, 1),
  ]);
});

describe.each(Object.entries(sentencePieces.vocabularies))(
  'a SentencePiece vocabulary like %s',
  (_name, made) => {
    const { ids, ...fields } = made;
    const named = { ...fields, model: 'llama', bos_token_id: 1, eos_token_id: 2, unknown_token_id: 0 };
    const metadata = new Map<string, Json>(
      Object.entries(named).map(([name, value]) => [`tokenizer.ggml.${name}`, value]),
    );
    const { tokenizer, config } = ggufTokenizer({ path: 'm.gguf', metadata });
    const { encode, decode } = openJsonTokenizer({
      path: 'm.gguf',
      text: JSON.stringify(tokenizer),
      config,
    });

    test('gives texts the ids that SentencePiece gives them', () => {
      expect(sentencePieces.texts.map((text) => Array.from(encode(text)))).toEqual(ids);
    });

    test('decodes every text to itself', () => {
      expect(sentencePieces.texts.map((text) => decode(encode(text)))).toEqual(sentencePieces.texts);
    });

    test('begins a text with its token for other programs, unless the file says otherwise', () => {
      expect(tokenizer.post_processor).toMatchObject({ special_tokens: { '<s>': { ids: [1] } } });
      const without = new Map(metadata).set('tokenizer.ggml.add_bos_token', false);
      expect(ggufTokenizer({ path: 'm', metadata: without }).tokenizer.post_processor).toBe(null);
    });
  },
);

describe('a tokenizer is refused', () => {
  test.each<[string, Changes, string]>([
    [
      'of another kind',
      { 'tokenizer.ggml.model': 'bert' },
      'has "bert" as `tokenizer.ggml.model`: only gpt2 (byte-level BPE) and llama (SentencePiece) are supported',
    ],
    [
      'whose pieces have no scores',
      { 'tokenizer.ggml.model': 'llama' },
      ': `tokenizer.ggml.scores` is not a list of 320 numbers, one per token',
    ],
    [
      'of an unknown rule',
      { 'tokenizer.ggml.pre': 'kimi-k2' },
      'has "kimi-k2" as `tokenizer.ggml.pre`: supported are gpt-2, phi-2, olmo, mpt, smollm, starcoder, refact, command-r, codeshell, llama-bpe, llama3, llama-v3, dbrx, smaug-bpe, qwen2, deepseek-r1-qwen, tekken, gpt-4o, default',
    ],
    [
      'without tokens',
      { 'tokenizer.ggml.tokens': undefined },
      ': `tokenizer.ggml.tokens` is not a list of strings',
    ],
    [
      'with a token twice',
      { 'tokenizer.ggml.tokens': ['a', 'b', 'a'], 'tokenizer.ggml.token_type': [] },
      ': `tokenizer.ggml.tokens` has the token "a" twice',
    ],
    [
      'with a type too few',
      { 'tokenizer.ggml.token_type': [1] },
      ': `tokenizer.ggml.token_type` is not a list of 320 types, one per token',
    ],
    [
      'with half a merge',
      { 'tokenizer.ggml.merges': ['ab'] },
      ': `tokenizer.ggml.merges` has "ab", which is not a pair',
    ],
    [
      'whose end is no token',
      { 'tokenizer.ggml.eos_token_id': 320 },
      ': `tokenizer.ggml.eos_token_id` is 320, which is not one of its 320 tokens',
    ],
  ])('%s', async (_case, changes, message) => {
    const changed = await source(changes);
    expect(() => ggufTokenizer(changed)).toThrow(path + (message.startsWith(':') ? message : ` ${message}`));
  });
});

type Changes = Readonly<Record<string, Json | undefined>>;

/** The fixture's metadata with some keys changed or, where undefined, taken out. */
async function source(changes: Changes) {
  await using file = await openGguf(path);
  const entries = Object.entries({ ...Object.fromEntries(file.metadata), ...changes });
  return {
    path,
    metadata: new Map(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined)),
  };
}

async function open(changes: Changes): Promise<Tokenizer> {
  const { tokenizer, config } = ggufTokenizer(await source(changes));
  return openJsonTokenizer({ path, text: JSON.stringify(tokenizer), config });
}
