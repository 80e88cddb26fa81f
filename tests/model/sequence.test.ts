import { expect, test } from 'vitest';
import { Sequence } from '../../src/model/generation/generate-texts.ts';
import { openEncoding } from '../../src/text/tokenizer/encoding-tokenizer.ts';

const tokenizer = await openEncoding('r50k_base');
const [the = 0, cat = 0, sat = 0] = tokenizer.encode(' the cat sat');

/** The text of a model whose likeliest next tokens are these, whatever comes before. */
function write(tokens: readonly number[], settings: { stopTokens?: number[]; repetitionPenalty?: number }) {
  const sequence = new Sequence({
    prompt: { id: 'a', tokens: Int32Array.of(the) },
    tokenizer,
    settings: { temperature: 0, topP: 1, maxNewTokens: 3, seed: 0, stop: [], batchSize: 1, ...settings },
  });
  for (const token of tokens) {
    const logits = new Float32Array(tokenizer.vocabularySize);
    logits[token] = 2;
    logits[sat] = 1.5;
    if (sequence.next(logits) === undefined) break;
  }
  return sequence.result();
}

test('a stop token ends a text and is not part of it', () => {
  expect(write([the, cat, the], { stopTokens: [cat] })).toEqual({
    id: 'a',
    text: ' the',
    finishReason: 'stop',
    tokens: 1,
  });
  expect(write([the, cat, the], {})).toEqual({
    id: 'a',
    text: ' the cat the',
    finishReason: 'length',
    tokens: 3,
  });
});

test('a repetition penalty applies to the prompt’s tokens and to those that were written', () => {
  // 2 / 1.5 is less than 1.5, until that token has been written itself.
  expect(write([the, cat, cat], { repetitionPenalty: 1.5 }).text).toBe(' sat cat cat');
});
