import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/core/random-stream.ts';
import { openEncoding } from '../../../src/text/tokenizer/encoding-tokenizer.ts';
import { IncrementalDecoder } from '../../../src/text/tokenizer/incremental-decoder.ts';
import { openJsonTokenizer } from '../../../src/text/tokenizer/json-tokenizer.ts';
import type { Tokenizer } from '../../../src/text/tokenizer/tokenizer.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/text');

/** The tokenizer of a tokenizer.json, whatever ends its texts. */
function fromFile(name: string): Tokenizer {
  const text = readFileSync(join(fixtures, name), 'utf8');
  const [end] = JSON.parse(text).added_tokens;
  return openJsonTokenizer({ path: name, text, config: { eos_token: end.content } });
}

const sample = 'Grüße, 世界! 🎉👩‍👩‍👧 naïve  two spaces\n\tand a \uFEFF mark — end';

const tokenizers: readonly (readonly [string, Tokenizer])[] = [
  ['r50k_base', await openEncoding('r50k_base')],
  ...[
    'byte-level.tokenizer.json',
    ...['llama2', 'llama3', 'unigram', 'metaspace-always'].map((name) => `tokenizers/${name}.json`),
  ].map((name) => [name, fromFile(name)] as const),
];

describe.each(tokenizers)('with the tokenizer %s', (_, tokenizer) => {
  /** The text after each token. */
  const textsOf = (tokens: Iterable<number>) => {
    const decoder = new IncrementalDecoder(tokenizer);
    const texts = Array.from(tokens, (token) => {
      decoder.add(token);
      return decoder.text;
    });
    return { texts, whole: decoder.end() };
  };

  test('the text only grows, and is in the end what all tokens decode to', () => {
    const tokens = tokenizer.encode(sample);
    const { texts, whole } = textsOf(tokens);
    expect(whole).toBe(tokenizer.decode(tokens));
    for (const [index, text] of texts.entries()) {
      expect(whole.startsWith(text)).toBe(true);
      expect(text.startsWith(texts[index - 1] ?? '')).toBe(true);
      expect(text.endsWith('\uFFFD')).toBe(false);
    }
  });

  test('any tokens give the text that they decode to together, broken characters too', () => {
    const random = new RandomStream(['incremental decoder']);
    for (let round = 0; round < 200; round++) {
      const tokens = Array.from({ length: 12 }, () =>
        Math.floor(random.uniform() * tokenizer.vocabularySize),
      );
      expect(textsOf(tokens).whole).toBe(tokenizer.decode(tokens));
    }
  });

  test('the bytes of the tokens are those of the text', () => {
    const tokens = tokenizer.encode(sample);
    const bytes = Buffer.concat(Array.from(tokens, (token) => tokenizer.bytesOf(token)));
    expect(bytes.toString('utf8').trimStart()).toBe(tokenizer.decode(tokens));
  });
});
