import { UserError } from '../../core/index.ts';
import { bleuOf, chrfOf, type Resampling } from '../../metrics/index.ts';
import type { Aggregation } from './metric-list.ts';
import type { NotedValue } from './noted-values.ts';
import { PythonRandom } from './python-random.ts';

type Of<Kind extends NotedValue['kind']> = Extract<NotedValue, { readonly kind: Kind }>;

interface Figure {
  readonly value: number;
  readonly standardError: number | undefined;
}

/**
 * A figure over what a metric noted of all questions, with lm-evaluation-harness's standard error: sd / sqrt(n) of a
 * mean, the bootstrap's for figures without a formula, none for the others.
 */
export function aggregate(
  noted: readonly NotedValue[],
  { aggregation, resampling }: { readonly aggregation: Aggregation; readonly resampling: Resampling },
): Figure {
  const figure = figureOf(aggregation);
  const value = figure(noted);
  if (noted.length < 2) return { value, standardError: undefined };
  if (aggregation === 'mean')
    return { value, standardError: sampleDeviation(numbers(noted)) / Math.sqrt(noted.length) };
  if (!bootstrapped.has(aggregation)) return { value, standardError: undefined };
  const rounds = ofTexts.has(aggregation) ? Math.min(resampling.rounds, 100) : resampling.rounds;
  return { value, standardError: bootstrapError(noted, { ...resampling, rounds, figure }) };
}

const ofTexts: ReadonlySet<Aggregation> = new Set(['bleu', 'chrf', 'chrf++'] as const);
const bootstrapped: ReadonlySet<Aggregation> = new Set([
  ...ofTexts,
  ...(['median', 'nanmean', 'perplexity', 'f1', 'matthews_corrcoef'] as const),
]);

type FigureOf = (noted: readonly NotedValue[]) => number;

function figureOf(aggregation: Aggregation): FigureOf {
  switch (aggregation) {
    case 'mean':
      return (noted) => mean(numbers(noted));
    case 'nanmean':
      return (noted) => mean(numbers(noted).filter((value) => !Number.isNaN(value)));
    case 'median':
      return (noted) => numbers(noted).toSorted((a, b) => a - b)[Math.floor(noted.length / 2)] ?? Number.NaN;
    case 'perplexity':
      return (noted) => Math.exp(-mean(numbers(noted)));
    case 'weighted_perplexity':
      return (noted) => Math.exp(-weightedMean(noted));
    case 'bits_per_byte':
      return (noted) => -weightedMean(noted) / Math.log(2);
    case 'f1':
      return (noted) => binaryF1(ofKind(noted, 'labels'));
    case 'matthews_corrcoef':
      return (noted) => matthewsCorrelation(ofKind(noted, 'labels'));
    case 'brier_score':
      return (noted) => mean(ofKind(noted, 'probabilities').map(brierScore));
    case 'bleu':
      return (noted) => bleuOf(ofKind(noted, 'counts').map(({ counts }) => counts));
    case 'chrf':
    case 'chrf++':
      return (noted) => chrfOf(ofKind(noted, 'counts').map(({ counts }) => counts));
    default:
      return aggregation satisfies never;
  }
}

function ofKind<Kind extends NotedValue['kind']>(
  noted: readonly NotedValue[],
  kind: Kind,
): readonly Of<Kind>[] {
  return noted.filter((one): one is Of<Kind> => one.kind === kind);
}

const numbers = (noted: readonly NotedValue[]): readonly number[] =>
  ofKind(noted, 'number').map(({ value }) => value);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

function weightedMean(noted: readonly NotedValue[]): number {
  const weighted = ofKind(noted, 'weighted');
  return sum(weighted.map(({ value }) => value)) / sum(weighted.map(({ weight }) => weight));
}

function sampleDeviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - center) ** 2)) / (values.length - 1));
}

/** scikit-learn's `f1_score` of two classes, of which 1 is the positive one. */
function binaryF1(pairs: readonly Of<'labels'>[]): number {
  const labels = new Set(pairs.flatMap(({ gold, predicted }) => [gold, predicted]));
  if (labels.size > 2 || (labels.size === 2 && !labels.has(1)))
    throw new UserError({
      code: 'not-binary',
      message: `\`f1\` is defined for two classes, of which 1 is the positive one; here are ${[...labels].join(', ')}`,
    });
  const hits = pairs.filter(({ gold, predicted }) => gold === 1 && predicted === 1).length;
  const positives = sum(pairs.map(({ gold, predicted }) => Number(gold === 1) + Number(predicted === 1)));
  return positives === 0 ? 0 : (2 * hits) / positives;
}

/** scikit-learn's `matthews_corrcoef` (Gorodkin 2004), 0 if all labels of a side are equal. */
function matthewsCorrelation(pairs: readonly Of<'labels'>[]): number {
  const classes = new Set(pairs.flatMap(({ gold, predicted }) => [gold, predicted]));
  const count = pairs.length;
  const right = pairs.filter(({ gold, predicted }) => gold === predicted).length;
  const shares = [...classes].map((label) => ({
    gold: pairs.filter(({ gold }) => gold === label).length,
    predicted: pairs.filter(({ predicted }) => predicted === label).length,
  }));
  const together = right * count - sum(shares.map(({ gold, predicted }) => gold * predicted));
  const ofGold = count ** 2 - sum(shares.map(({ gold }) => gold ** 2));
  const ofPredicted = count ** 2 - sum(shares.map(({ predicted }) => predicted ** 2));
  return ofGold * ofPredicted === 0 ? 0 : together / Math.sqrt(ofGold * ofPredicted);
}

const brierScore = ({ gold, probabilities }: Of<'probabilities'>): number =>
  sum(probabilities.map((probability, index) => (probability - Number(index === gold)) ** 2));

/** Rounds that share a generator; each next one has the next seed. */
const chunk = 1000;

/** The deviation of a figure over resamples, which are those of lm-evaluation-harness. */
function bootstrapError(
  noted: readonly NotedValue[],
  { rounds, seed, figure }: Resampling & { readonly figure: FigureOf },
): number {
  const values: number[] = [];
  const indices = new Int32Array(noted.length);
  for (let start = 0; start < rounds; start += chunk) {
    const random = new PythonRandom(seed + start / chunk);
    for (let round = start; round < Math.min(start + chunk, rounds); round += 1) {
      random.choices(noted.length, indices);
      values.push(figure([...indices].flatMap((index) => noted[index] ?? [])));
    }
  }
  return sampleDeviation(values);
}
