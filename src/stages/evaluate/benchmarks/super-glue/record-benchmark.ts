import { answerTokens, normalizeAnswer } from '../../metrics/normalize-answer.ts';
import { tokenOverlapF1 } from '../../statistics/token-overlap-f1.ts';
import type { Benchmark } from '../benchmark.ts';
import { type BenchmarkScores, meanScore, remarkOn } from '../benchmark-scores.ts';
import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { fieldOf, itemsOf, labelOf, textOf } from '../files/located.ts';
import { readJsonLines } from '../files/read-json.ts';

/** ReCoRD: the entity that fills a gap, the best over all that are right, as SQuAD 1.1 compares answers. */
export const recordBenchmark: Benchmark = {
  summary: 'entities in gaps, F1 and exact match',
  data: { file: 'the passages with queries (JSONL)', example: 'val.jsonl' },
  predictions: { file: 'idx and label (JSONL)', example: 'ReCoRD.jsonl' },
  score: async ({ data, predictions }) =>
    scoreQueries(await readQueries(data), await readEntities(predictions)),
};

function scoreQueries(
  queries: ReadonlyMap<string, readonly string[]>,
  predictions: ReadonlyMap<string, string>,
): BenchmarkScores {
  const rated = [...queries].map(([id, golds]) => rate(golds, predictions.get(id)));
  return {
    metrics: [
      meanScore({ metric: 'f1', values: rated.map(({ f1 }) => f1) }),
      meanScore({ metric: 'exact_match', values: rated.map(({ exact }) => exact) }),
    ],
    remarks: [
      ...remarkOn(
        'queries without a prediction, counted 0',
        [...queries.keys()].filter((id) => !predictions.has(id)),
      ),
      ...remarkOn(
        'predictions for no query of the data, left out',
        [...predictions.keys()].filter((id) => !queries.has(id)),
      ),
    ],
  };
}

function rate(golds: readonly string[], prediction: string | undefined): { exact: number; f1: number } {
  if (prediction === undefined) return { exact: 0, f1: 0 };
  const words = answerTokens(prediction);
  return {
    exact: golds.some((gold) => normalizeAnswer(gold) === words.join(' ')) ? 1 : 0,
    f1: Math.max(0, ...golds.map((gold) => tokenOverlapF1(answerTokens(gold), words))),
  };
}

/** The right entities by the query's idx. */
async function readQueries(file: BenchmarkFile): Promise<ReadonlyMap<string, readonly string[]>> {
  const queries = (await readJsonLines(file)).flatMap((passage) => itemsOf(fieldOf(passage, 'qas')));
  return new Map(
    queries.map((query) => [
      labelOf(fieldOf(query, 'idx')),
      itemsOf(fieldOf(query, 'answers')).map((answer) => textOf(fieldOf(answer, 'text'))),
    ]),
  );
}

async function readEntities(file: BenchmarkFile): Promise<ReadonlyMap<string, string>> {
  const lines = await readJsonLines(file);
  return new Map(lines.map((line) => [labelOf(fieldOf(line, 'idx')), textOf(fieldOf(line, 'label'))]));
}
