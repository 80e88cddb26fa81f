import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bleuCounts, bleuOf } from '../../src/metrics/overlap/bleu.ts';
import { chrfCounts, chrfOf } from '../../src/metrics/overlap/chrf.ts';
import { porterStem } from '../../src/metrics/overlap/porter-stem.ts';
import { rougeL, rougeLsum, rougeN } from '../../src/metrics/overlap/rouge.ts';

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/evaluate/${name}`, import.meta.url), 'utf8'));

const pairs: readonly (readonly [references: readonly string[], answer: string])[] =
  fixture('overlap-pairs.json');

/** What overlap-scores.py writes. */
const expected: {
  readonly corpus: Readonly<Record<string, number>>;
  readonly sentences: Readonly<Record<string, readonly number[]>>;
  readonly rouge: Readonly<Record<string, readonly number[]>>;
  readonly rouge_stemmed: Readonly<Record<string, readonly number[]>>;
  readonly stems: Readonly<Record<string, string>>;
  readonly own_stems: readonly string[];
} = fixture('overlap-scores.json');

/** The last digit of a double may differ, because logarithms and powers are not rounded correctly everywhere. */
function expectEqual(ours: readonly number[], theirs: readonly number[] = []) {
  const differing = ours.flatMap((value, index) => {
    const due = theirs[index] ?? Number.NaN;
    return Math.abs(value - due) <= 1e-14 * Math.abs(due) ? [] : [{ pair: pairs[index], value, due }];
  });
  expect(differing).toEqual([]);
  expect(ours).toHaveLength(theirs.length);
}

describe.each(['13a', 'intl', 'char', 'none'] as const)(
  'BLEU with the tokenizer %s is that of sacrebleu',
  (tokenize) => {
    const counts = pairs.map(([references, answer]) =>
      bleuCounts(answer, references, { tokenize, lowercase: false }),
    );

    test('over all pairs', () => {
      expectEqual([bleuOf(counts)], [expected.corpus[`bleu ${tokenize}`] ?? Number.NaN]);
    });

    test('for every pair', () => {
      const ours = counts.map((one) => bleuOf([one], { effectiveOrder: true }));
      expectEqual(ours, expected.sentences[`bleu ${tokenize}`]);
    });
  },
);

test('BLEU that ignores case is that of sacrebleu', () => {
  const counts = pairs.map(([references, answer]) =>
    bleuCounts(answer, references, { tokenize: '13a', lowercase: true }),
  );
  expectEqual([bleuOf(counts)], [expected.corpus['bleu 13a lowercase'] ?? Number.NaN]);
});

test.each([
  ['chrf', 0],
  ['chrf_plus_plus', 2],
] as const)('%s is that of sacrebleu, over all pairs and for every pair', (name, wordOrder) => {
  const counts = pairs.map(([references, answer]) => chrfCounts(answer, references, wordOrder));
  expectEqual([chrfOf(counts)], [expected.corpus[name] ?? Number.NaN]);
  expectEqual(
    counts.map((one) => chrfOf([one])),
    expected.sentences[name],
  );
});

describe.each([
  ['rouge1', rougeN(1)],
  ['rouge2', rougeN(2)],
  ['rougeL', rougeL],
  ['rougeLsum', rougeLsum],
] as const)('%s is that of rouge-score for every pair', (name, score) => {
  test.each([
    ['words', false, expected.rouge],
    ['stems', true, expected.rouge_stemmed],
  ] as const)('comparing %s', (_, stem, theirs) => {
    const ours = pairs.map(([references, answer]) =>
      Math.max(...references.map((reference) => score(reference, answer, { stem }))),
    );
    expectEqual(ours, theirs[name]);
  });
});

test('stems are those of NLTK', () => {
  const words = [...Object.keys(expected.stems), ...expected.own_stems];
  const due = Object.fromEntries(words.map((word) => [word, expected.stems[word] ?? word]));
  expect(Object.fromEntries(words.map((word) => [word, porterStem(word)]))).toEqual(due);
});
