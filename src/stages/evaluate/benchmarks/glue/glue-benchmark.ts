import type { Benchmark } from '../benchmark.ts';
import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { columnOf, readTsv } from '../files/read-tsv.ts';
import { scoreLabels } from '../labels/label-scores.ts';
import { labelsByKey, type PlacedLabel, pairLabels } from '../labels/pair-labels.ts';
import type { GlueTask } from './glue-tasks.ts';

/** A task of GLUE. Predictions are a submission's file: the columns `index`, which counts the data's rows from 0, and `prediction`. */
export const glueBenchmark = (task: GlueTask): Benchmark => ({
  summary: task.summary,
  data: { file: 'the labelled rows (TSV)', example: 'dev.tsv' },
  predictions: { file: 'index and prediction (TSV)', example: 'predictions.tsv' },
  score: async ({ data, predictions, resampling }) => {
    const { classes, metrics } = task;
    const gold = await readGold(data, task);
    const predicted = await readPredicted(predictions);
    const pairs = pairLabels({ gold, predicted, name: predictions.name, classes });
    return { metrics: scoreLabels(pairs, { metrics, classes, resampling }), remarks: [] };
  },
});

type Labels = ReadonlyMap<string, PlacedLabel>;

async function readGold(file: BenchmarkFile, { columns, label }: GlueTask): Promise<Labels> {
  const rows = await readTsv(file, columns);
  return new Map(
    rows.map((row, index) => [String(index), { place: row.place, label: columnOf(row, label) }]),
  );
}

async function readPredicted(file: BenchmarkFile): Promise<Labels> {
  const rows = await readTsv(file);
  return labelsByKey(
    rows.map((row) => [columnOf(row, 'index'), { place: row.place, label: columnOf(row, 'prediction') }]),
  );
}
