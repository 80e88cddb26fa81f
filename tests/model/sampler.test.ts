import { expect, test } from 'vitest';
import { RandomStream } from '../../src/core/random-stream.ts';
import { adjustLogits, chooseToken, penalizeRepetition } from '../../src/model/generation/sampler.ts';
import sampling from '../fixtures/model/sampling.json' with { type: 'json' };
import processors from '../fixtures/model/sampling-processors.json' with { type: 'json' };

const plain = sampling.cases.map((one) => ({ ...one, min_p: 0, repetition_penalty: 1 }));
const cases = [
  ...plain.map((one) => ({ ...one, logits: sampling.logits, text: [] })),
  ...processors.cases.map((one) => ({ ...one, logits: processors.logits, text: processors.text })),
];

test.each(cases)(
  'temperature $temperature, top-k $top_k, top-p $top_p, min-p $min_p, penalty $repetition_penalty: tokens are drawn with the probabilities of transformers',
  ({ temperature, top_k, top_p, min_p, repetition_penalty: penalty, probabilities, ...given }) => {
    const logits = penalizeRepetition(Float32Array.from(given.logits), { penalty, text: given.text });
    const random = new RandomStream(['draws']);
    const settings = { temperature, topK: top_k ?? undefined, topP: top_p, minP: min_p };
    const draws = 20_000;
    const counts = new Array<number>(logits.length).fill(0);
    for (let draw = 0; draw < draws; draw++) {
      const token = chooseToken(logits, settings, random);
      counts[token] = (counts[token] ?? 0) + 1;
    }
    // Five standard deviations of a binomial count; an excluded token must never be drawn.
    const farOff = probabilities.filter((p, token) => {
      const allowed = 5 * Math.sqrt(draws * p * (1 - p));
      return Math.abs((counts[token] ?? 0) - draws * p) > allowed;
    });
    expect(farOff).toEqual([]);
  },
);

test('a penalty applies to the likeliest token too, and does not change the given logits', () => {
  const logits = Float32Array.from(processors.logits);
  const penalized = penalizeRepetition(logits, { penalty: 3, text: processors.text });
  const greedy = { temperature: 0, topP: 1 };
  expect(chooseToken(penalized, greedy, new RandomStream([]))).toBe(processors.greedy_with_penalty_3);
  expect([...logits]).toEqual([...Float32Array.from(processors.logits)]);
});

test('temperature 0 takes the likeliest token, the first among equals', () => {
  const greedy = { temperature: 0, topP: 1 };
  expect(chooseToken(Float32Array.of(-3, 2, 5, 5, 1), greedy, new RandomStream([]))).toBe(2);
});

test('a bias is added, and each penalty of the answer’s tokens is subtracted, as OpenAI defines them', () => {
  const logits = Float32Array.of(1, 2, 3, 4, -1);
  const adjusted = adjustLogits(logits, {
    logitBias: new Map([
      [1, 5],
      [4, -1],
      [99, 7],
    ]),
    frequencyPenalty: 0.5,
    presencePenalty: 0.25,
    prompt: [0, 1],
    answer: [2, 2, 4],
  });
  // Token 2 twice: 3 - 2 * 0.5 - 0.25; token 4 once: -1 - 1 - 0.5 - 0.25. What is in the prompt alone stays.
  expect([...adjusted]).toEqual([1, 7, 1.75, 4, -2.75]);
  expect([...logits]).toEqual([1, 2, 3, 4, -1]);
  const halved = adjustLogits(logits, { repetitionPenalty: 2, presencePenalty: 1, prompt: [0], answer: [4] });
  expect([...halved]).toEqual([0.5, 2, 3, 4, -3]);
  expect(adjustLogits(logits, { prompt: [0], answer: [1] })).toBe(logits);
});
