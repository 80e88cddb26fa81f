import { describe, expect, test } from 'vitest';
import { encodePair } from '../../../src/stages/generate/choice-log-likelihoods.ts';
import { rollingWindows } from '../../../src/stages/generate/log-likelihood.ts';
import { openEncoding } from '../../../src/text/tokenizer/encoding-tokenizer.ts';

describe('a context and its continuation are encoded as lm-evaluation-harness does', async () => {
  const tokenizer = await openEncoding('r50k_base');
  // By tiktoken's r50k_base: "Answer" 33706, ":" 25, " yes" 3763, "yes" 8505, " " 220, "\n" 198, "ab" 397, "a" 64, "abc" 39305
  test.each([
    ['Answer:', ' yes', [33706, 25], [3763]],
    ['Answer: ', 'yes', [33706, 25], [3763]],
    ['Answer:\n', 'yes', [33706, 25], [198, 8505]],
    ['', ' yes', [50256], [3763]],
    [' ', 'yes', [50256], [3763]],
    // "ab" is one token alone, and "abc" too: the continuation has none beyond it.
    ['ab', 'c', [397], []],
  ])('%j and %j', (context, continuation, contextIds, continuationIds) => {
    const pair = encodePair(tokenizer, {
      context: context === '' ? [] : [{ text: context }],
      continuation,
      start: undefined,
      bos: 'auto',
    });
    expect({ context: [...pair.context], continuation: [...pair.continuation] }).toEqual({
      context: contextIds,
      continuation: continuationIds,
    });
  });
});

describe('rolling windows score each token once, as lm-evaluation-harness cuts them', () => {
  // By lm_eval.utils.get_rolling_token_windows(list(range(n)), prefix_token=-100, max_seq_len=5, context_len=1)
  test.each([
    [3, [{ tokens: [-100, 0, 1, 2], from: 1 }]],
    [5, [{ tokens: [-100, 0, 1, 2, 3, 4], from: 1 }]],
    [
      7,
      [
        { tokens: [-100, 0, 1, 2, 3, 4], from: 1 },
        { tokens: [1, 2, 3, 4, 5, 6], from: 4 },
      ],
    ],
    [
      11,
      [
        { tokens: [-100, 0, 1, 2, 3, 4], from: 1 },
        { tokens: [4, 5, 6, 7, 8, 9], from: 1 },
        { tokens: [5, 6, 7, 8, 9, 10], from: 5 },
      ],
    ],
  ])('%i tokens in windows of 5', (length, expected) => {
    const tokens = Int32Array.from({ length: length + 1 }, (_, index) => (index === 0 ? -100 : index - 1));
    const windows = rollingWindows({ id: 'a', tokens }, 5);
    expect(windows.map((one) => ({ tokens: [...one.tokens], from: one.from }))).toEqual(expected);
  });
});
