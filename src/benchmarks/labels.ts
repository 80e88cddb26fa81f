import { UserError } from '../core/index.ts';
import {
  bootstrapInterval,
  f1,
  type LabelPairs,
  macroF1,
  matthews,
  pearson,
  type Resampling,
  spearman,
} from '../metrics/index.ts';
import type { NeededFile, Scorer } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import { type BenchmarkScore, meanScore } from './benchmark-scores.ts';

/** Metrics of predicted labels. Classes are texts. */
type LabelMetric = 'accuracy' | 'f1' | 'macro_f1' | 'matthews' | 'pearson' | 'spearman';

/** A task with one label for each item. */
export interface LabelTask {
  /** The labels that there are; empty if labels are numbers. */
  readonly classes: readonly string[];
  readonly metrics: readonly LabelMetric[];
  /** The positive class of two; `1` if absent. */
  readonly positive?: string;
}

/** Each metric over all pairs: accuracy with its standard error, the others with a bootstrap interval; NaN for a correlation of equal values. */
export function scoreLabels(
  pairs: LabelPairs,
  { metrics, classes, positive = '1', resampling }: LabelTask & { readonly resampling: Resampling },
): readonly BenchmarkScore[] {
  const { gold, predicted } = pairs;
  return metrics.map((metric) => {
    if (metric === 'accuracy')
      return meanScore({ metric, values: gold.map((label, index) => (label === predicted[index] ? 1 : 0)) });
    const interval = bootstrapInterval({
      ...resampling,
      count: gold.length,
      statistic: (indices) => figure(metric, { pairs: resampled(pairs, indices), classes, positive }),
    });
    const value = figure(metric, { pairs, classes, positive });
    return { metric, value, count: gold.length, ...(interval === undefined ? {} : { interval }) };
  });
}

function figure(
  metric: Exclude<LabelMetric, 'accuracy'>,
  { pairs, classes, positive }: { pairs: LabelPairs; classes: readonly string[]; positive: string },
): number {
  switch (metric) {
    case 'f1':
      return f1(pairs, positive);
    case 'macro_f1':
      return macroF1(pairs, classes);
    case 'matthews':
      return matthews(pairs, positive);
    case 'pearson':
      return pearson(pairs.gold.map(Number), pairs.predicted.map(Number));
    case 'spearman':
      return spearman(pairs.gold.map(Number), pairs.predicted.map(Number));
    default:
      return metric satisfies never;
  }
}

const resampled = ({ gold, predicted }: LabelPairs, indices: readonly number[]): LabelPairs => ({
  gold: indices.map((index) => gold[index] ?? ''),
  predicted: indices.map((index) => predicted[index] ?? ''),
});

interface LabelFiles extends Pick<Scorer, 'data'> {
  readonly predictions: NeededFile;
  readonly readGold: (file: BenchmarkFile) => Promise<Labels>;
  readonly readPredicted: (file: BenchmarkFile) => Promise<Labels>;
}

export type Labels = ReadonlyMap<string, PlacedLabel>;

/** A label and its line. */
export interface PlacedLabel {
  readonly place: string;
  readonly label: string;
}

/** Scores a submission's file of labels. */
export const labelScorer = (
  { summary, ...task }: LabelTask & { readonly summary: string },
  { data, predictions, readGold, readPredicted }: LabelFiles,
): Scorer => ({
  summary,
  data,
  predictions,
  score: async (files) => {
    const gold = await readGold(files.data);
    const predicted = await readPredicted(files.predictions);
    const pairs = pairLabels({ gold, predicted, name: files.predictions.name, classes: task.classes });
    const metrics = scoreLabels(pairs, { ...task, resampling: files.resampling });
    const without = metrics.find(({ value }) => !Number.isFinite(value));
    if (without === undefined) return { metrics, remarks: [] };
    throw new UserError({
      code: 'no-spread',
      message: `\`${without.metric}\` has no value: all labels or all predictions are equal`,
    });
  },
});

interface Sides {
  readonly gold: Labels;
  readonly predicted: Labels;
  /** The predictions file's name in errors. */
  readonly name: string;
  readonly classes: readonly string[];
}

/** Gold and predicted labels in the order of the gold ones. Every label must be known, and every item predicted. */
export function pairLabels({ gold, predicted, name, classes }: Sides): LabelPairs {
  if (gold.size === 0) throw new UserError({ code: 'nothing-to-score', message: 'the data has no items' });
  for (const side of [gold, predicted]) for (const label of side.values()) checkLabel(label, classes);
  const missing = [...gold.keys()].filter((key) => !predicted.has(key));
  if (missing.length > 0)
    throw new UserError({
      code: 'missing-predictions',
      message: `${name}: ${missing.length} of ${gold.size} items have no prediction; the first is ${missing[0]}`,
      help: 'this benchmark is defined over all items: predict each of them',
    });
  for (const [key, { place }] of predicted)
    if (!gold.has(key))
      throw new UserError({ code: 'unknown-item', message: `${place}: the data has no item ${key}` });
  return {
    gold: [...gold.values()].map(({ label }) => label),
    predicted: [...gold.keys()].map((key) => predicted.get(key)?.label ?? ''),
  };
}

/** Key -> label; a repeated key is an error. */
export function labelsByKey(labels: Iterable<readonly [string, PlacedLabel]>): Labels {
  const byKey = new Map<string, PlacedLabel>();
  for (const [key, label] of labels) {
    const first = byKey.get(key);
    if (first !== undefined)
      throw new UserError({
        code: 'repeated-item',
        message: `${label.place}: item ${key} is already at ${first.place}`,
      });
    byKey.set(key, label);
  }
  return byKey;
}

function checkLabel({ place, label }: PlacedLabel, classes: readonly string[]): void {
  const known =
    classes.length > 0 ? classes.includes(label) : label.trim() !== '' && Number.isFinite(Number(label));
  if (known) return;
  const expected = classes.length > 0 ? classes.join(', ') : 'a number';
  throw new UserError({
    code: 'unknown-label',
    message: `${place}: the label is ${JSON.stringify(label)}; it must be ${classes.length > 1 ? 'one of ' : ''}${expected}`,
  });
}
