import type { Benchmark } from '../benchmark.ts';
import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { fieldOf, labelOf, placeOf } from '../files/located.ts';
import { readJsonLines } from '../files/read-json.ts';
import { scoreLabels } from '../labels/label-scores.ts';
import { labelsByKey, type PlacedLabel, pairLabels } from '../labels/pair-labels.ts';
import type { SuperGlueTask } from './super-glue-tasks.ts';

/** A task of SuperGLUE with one label a line. Predictions are a submission's file: {idx, label}. */
export const superGlueBenchmark = (task: SuperGlueTask): Benchmark => ({
  summary: task.summary,
  data: { file: 'the labelled items (JSONL)', example: 'val.jsonl' },
  predictions: { file: 'idx and label (JSONL)', example: 'predictions.jsonl' },
  score: async ({ data, predictions, resampling }) => {
    const { classes, metrics } = task;
    const gold = await readLabels(data);
    const predicted = await readLabels(predictions);
    const pairs = pairLabels({ gold, predicted, name: predictions.name, classes });
    return { metrics: scoreLabels(pairs, { metrics, classes, resampling }), remarks: [] };
  },
});

async function readLabels(file: BenchmarkFile): Promise<ReadonlyMap<string, PlacedLabel>> {
  const lines = await readJsonLines(file);
  return labelsByKey(
    lines.map((line) => [
      labelOf(fieldOf(line, 'idx')),
      { place: placeOf(line), label: labelOf(fieldOf(line, 'label')) },
    ]),
  );
}
