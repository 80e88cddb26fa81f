import { expect, test } from 'vitest';
import { kendall, pearson, ranks, spearman } from '../../src/metrics/agreement.ts';
import { f1, macroF1, matthews } from '../../src/metrics/classification.ts';
import { bootstrapInterval, plainMean, quantile } from '../../src/metrics/statistics.ts';
import theirs from '../fixtures/benchmarks/statistics.json' with { type: 'json' };

const { x, y, gold, predicted } = theirs;
const labels = { gold, predicted };

test('mean and standard error are those of numpy and scipy', () => {
  const { mean, standardError } = plainMean(x);
  expect(mean).toBeCloseTo(theirs.mean, 13);
  expect(standardError).toBeCloseTo(theirs.standard_error, 13);
});

test('ranks and quantiles are those of scipy and numpy, ties included', () => {
  const sorted = [...x].sort((a, b) => a - b);
  expect(ranks(x)).toEqual(theirs.ranks);
  expect([0.025, 0.5, 0.975].map((share) => quantile(sorted, share))).toEqual(theirs.quantiles);
});

test('the correlations of Pearson, Spearman and Kendall are those of scipy', () => {
  expect(pearson(x, y)).toBeCloseTo(theirs.pearson, 13);
  expect(spearman(x, y)).toBeCloseTo(theirs.spearman, 13);
  expect(kendall(x, y)).toBeCloseTo(theirs.kendall, 13);
});

test('a list without spread correlates with nothing', () => {
  const flat = x.map(() => 1);
  expect([pearson(flat, y), spearman(flat, y), kendall(flat, y)]).toEqual([
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
});

test('F1 of a class, its mean over classes and the Matthews correlation are those of scikit-learn', () => {
  const ofClasses = Object.fromEntries(['yes', 'no', 'maybe'].map((label) => [label, f1(labels, label)]));
  for (const [label, value] of Object.entries(theirs.f1)) expect(ofClasses[label]).toBeCloseTo(value, 13);
  expect(macroF1(labels, ['yes', 'no', 'maybe'])).toBeCloseTo(theirs.macro_f1, 13);
  expect(matthews(labels, 'yes')).toBeCloseTo(theirs.matthews, 13);
  expect(matthews({ gold, predicted: gold.map(() => 'yes') }, 'yes')).toBe(theirs.matthews_all_alike);
});

test('a bootstrap interval of a mean is its mean plus or minus 1.96 standard errors, nearly', () => {
  const meanOf = (indices: readonly number[]) =>
    indices.reduce((total, index) => total + (x[index] ?? 0), 0) / indices.length;
  const interval = bootstrapInterval({ count: x.length, statistic: meanOf, rounds: 4000, seed: 1 });
  // The bootstrap divides by n where the standard error divides by n - 1.
  const half = 1.96 * theirs.standard_error * Math.sqrt((x.length - 1) / x.length);
  expect(Math.abs((interval?.low ?? 0) - (theirs.mean - half))).toBeLessThan(0.05);
  expect(Math.abs((interval?.high ?? 0) - (theirs.mean + half))).toBeLessThan(0.05);
});

test('equal seeds give equal intervals, another seed another', () => {
  const statistic = (indices: readonly number[]) => indices[0] ?? 0;
  const draw = (seed: number) => bootstrapInterval({ count: 1000, statistic, rounds: 50, seed });
  expect(draw(1)).toEqual(draw(1));
  expect(draw(2)).not.toEqual(draw(1));
});

test('rounds without a value are counted, and an interval needs at least one value', () => {
  const of = (values: readonly number[]) => {
    const left = [...values];
    return bootstrapInterval({ count: 2, statistic: () => left.shift() ?? Number.NaN, rounds: 3, seed: 0 });
  };
  expect(of([1, 1])).toEqual({ low: 1, high: 1, rounds: 3, seed: 0, rounds_without_value: 1 });
  expect(of([])).toBeUndefined();
});
