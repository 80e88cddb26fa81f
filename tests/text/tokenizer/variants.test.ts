import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { openJsonTokenizer } from '../../../src/text/tokenizer/json-tokenizer.ts';

interface Variant {
  readonly name: string;
  readonly json: JsonObject;
  /** The name of a list of texts. */
  readonly texts: string;
  readonly digests: readonly string[];
}

interface SpecialVariant {
  readonly json: JsonObject;
  readonly cases: readonly { readonly pieces: readonly string[]; readonly ids: readonly number[] }[];
}

interface Fixture {
  /** The model of those that have none. */
  readonly model: JsonObject;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly variants: readonly Variant[];
  readonly special: readonly SpecialVariant[];
}

const fixture = new URL('../../fixtures/text/tokenizers/variants.json', import.meta.url);
const { model, lists, variants, special }: Fixture = JSON.parse(await readFile(fixture, 'utf8'));

const ending = { id: 999, content: '</s>', special: true, normalized: false };
const open = (json: JsonObject) => {
  const added = [...((json.added_tokens as JsonObject[] | undefined) ?? []), ending];
  return openJsonTokenizer({
    path: 'tokenizer.json',
    text: JSON.stringify({ model, ...json, added_tokens: added }),
    config: {},
  });
};

describe('texts are encoded as by Python’s tokenizers', () => {
  test.each(variants)('$name', ({ json, texts, digests }) => {
    const { encode } = open(json);
    expect(lists[texts]).toHaveLength(digests.length);
    const differences = lists[texts]?.flatMap((text, index) => {
      const ids = [...encode(text)].join();
      const digest = createHash('sha256').update(ids).digest('hex').slice(0, 8);
      return digest === digests[index] ? [] : [{ text, ids }];
    });
    expect(differences).toEqual([]);
  });

  test('special tokens take in the white space around them as they are told to', () => {
    for (const { json, cases } of special) {
      const { encode } = open(json);
      const ours = cases.map(({ pieces }) => {
        const given = pieces.map((text) => (text === '<m>' ? { text, special: true as const } : { text }));
        return [...encode(given)];
      });
      expect(ours).toEqual(cases.map(({ ids }) => ids));
    }
  });
});

const endless = { Regex: '(?:a+)+$' };
const slow = `${'a'.repeat(40)}!`;
test.each([
  ['normalizer', { normalizer: { type: 'Replace', pattern: endless, content: '' } }],
  [
    'pre-tokenizer',
    { pre_tokenizer: { type: 'Split', pattern: endless, behavior: 'Isolated', invert: false } },
  ],
])('a %s whose regular expression does not end is an error that names the file', (_, json) => {
  const tokenizer = openJsonTokenizer({
    path: 'm/tokenizer.json',
    text: JSON.stringify({ model, added_tokens: [ending], ...json }),
    config: {},
    milliseconds: 500,
  });
  expect(() => tokenizer.encode(slow)).toThrow(
    'm/tokenizer.json cannot be used as a tokenizer: it takes more than 0.5 s for one text',
  );
});

test('so is a decoder, and a normalizer that already normalizes an added token', () => {
  const word = { type: 'WordLevel', vocab: { [slow]: 0, '?': 1 }, unk_token: '?' };
  const replace = { type: 'Replace', pattern: endless, content: '' };
  const file = (json: JsonObject) => ({
    path: 'm/tokenizer.json',
    text: JSON.stringify({ model: word, added_tokens: [ending], ...json }),
    config: {},
    milliseconds: 500,
  });
  const reason = 'm/tokenizer.json cannot be used as a tokenizer: it takes more than 0.5 s for one text';
  expect(() => openJsonTokenizer(file({ decoder: replace })).decode([0])).toThrow(reason);
  const added = { id: 2, content: slow, special: false, normalized: true };
  expect(() => openJsonTokenizer(file({ normalizer: replace, added_tokens: [ending, added] }))).toThrow(
    reason,
  );
});

test.each([
  [{ normalizer: { type: 'Nmt' } }, 'its normalizer `Nmt` is not supported'],
  [{ pre_tokenizer: { type: 'UnicodeScripts' } }, 'its pre-tokenizer `UnicodeScripts` is not supported'],
  [
    { pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'Sideways' } },
    'the split behavior `Sideways` is not supported',
  ],
])('a part that is not supported is refused when the file is opened: %j', (json, reason) => {
  expect(() => open(json)).toThrow(`tokenizer.json cannot be used as a tokenizer: ${reason}`);
});
