import { expect, test } from 'vitest';
import { chooseToken } from '../../src/model/generation/choose-token.ts';
import { RandomStream } from '../../src/model/random-stream.ts';
import sampling from '../fixtures/model/sampling.json' with { type: 'json' };

test.each(sampling.cases)(
  'temperature $temperature, top-k $top_k, top-p $top_p: tokens are drawn with the probabilities of transformers',
  ({ temperature, top_k, top_p, probabilities }) => {
    const logits = Float32Array.from(sampling.logits);
    const random = new RandomStream(['draws']);
    const settings = { temperature, topK: top_k ?? undefined, topP: top_p };
    const draws = 20_000;
    const counts = new Array<number>(logits.length).fill(0);
    for (let draw = 0; draw < draws; draw++) {
      const token = chooseToken(logits, settings, random);
      counts[token] = (counts[token] ?? 0) + 1;
    }
    // Five standard deviations of a binomial count; a token that was left out must never come.
    const farOff = probabilities.filter((p, token) => {
      const allowed = 5 * Math.sqrt(draws * p * (1 - p));
      return Math.abs((counts[token] ?? 0) - draws * p) > allowed;
    });
    expect(farOff).toEqual([]);
  },
);

test('temperature 0 takes the likeliest token, the first among equals', () => {
  const greedy = { temperature: 0, topP: 1 };
  expect(chooseToken(Float32Array.of(-3, 2, 5, 5, 1), greedy, new RandomStream([]))).toBe(2);
});
