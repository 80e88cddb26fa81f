import { bootstrapInterval } from '../../statistics/bootstrap-interval.ts';
import { f1 } from '../../statistics/f1.ts';
import type { Benchmark, BenchmarkCall } from '../benchmark.ts';
import { type BenchmarkScores, meanScore } from '../benchmark-scores.ts';
import type { BenchmarkFile } from '../files/benchmark-file.ts';
import { fieldOf, itemsOf, labelOf, placeOf } from '../files/located.ts';
import { readJsonLines } from '../files/read-json.ts';
import { labelsByKey, type PlacedLabel, pairLabels } from '../labels/pair-labels.ts';

/** MultiRC: each candidate answer of a question is right or not. F1a is over all answers; a question is exact if all of its are. */
export const multiRcBenchmark: Benchmark = {
  summary: 'many right answers, F1a and exact match',
  data: { file: 'the labelled passages (JSONL)', example: 'val.jsonl' },
  predictions: { file: 'passages with labels (JSONL)', example: 'MultiRC.jsonl' },
  score,
};

async function score({ data, predictions, resampling }: BenchmarkCall): Promise<BenchmarkScores> {
  const gold = await readAnswers(data);
  const predicted = await readAnswers(predictions);
  const pairs = pairLabels({ gold, predicted, name: predictions.name, classes: ['0', '1'] });
  const questions = answersByQuestion([...gold.keys()]);
  const f1Of = (indices: readonly number[]): number => {
    const answers = indices.flatMap((question) => questions[question] ?? []);
    const pick = (labels: readonly string[]) => answers.map((answer) => labels[answer] ?? '');
    return f1({ gold: pick(pairs.gold), predicted: pick(pairs.predicted) }, '1');
  };
  const isExact = (answers: readonly number[]): boolean =>
    answers.every((answer) => pairs.gold[answer] === pairs.predicted[answer]);
  const interval = bootstrapInterval({ count: questions.length, statistic: f1Of, ...resampling });
  return {
    metrics: [
      {
        metric: 'f1a',
        value: f1(pairs, '1'),
        count: gold.size,
        ...(interval === undefined ? {} : { interval }),
      },
      meanScore({ metric: 'exact_match', values: questions.map((answers) => (isExact(answers) ? 1 : 0)) }),
    ],
    remarks: [],
  };
}

/** For each question the places of its answers in the list of keys. */
function answersByQuestion(keys: readonly string[]): readonly (readonly number[])[] {
  const questions = new Map<string, number[]>();
  for (const [index, key] of keys.entries()) {
    const question = key.slice(0, key.lastIndexOf('/'));
    questions.set(question, [...(questions.get(question) ?? []), index]);
  }
  return [...questions.values()];
}

/** Labels by `passage/question/answer`; data and predictions have one layout. */
async function readAnswers(file: BenchmarkFile): Promise<ReadonlyMap<string, PlacedLabel>> {
  const passages = await readJsonLines(file);
  const answers = passages.flatMap((passage) =>
    itemsOf(fieldOf(fieldOf(passage, 'passage'), 'questions')).flatMap((question) =>
      itemsOf(fieldOf(question, 'answers')).map((answer): readonly [string, PlacedLabel] => [
        [passage, question, answer].map((at) => labelOf(fieldOf(at, 'idx'))).join('/'),
        { place: placeOf(answer), label: labelOf(fieldOf(answer, 'label')) },
      ]),
    ),
  );
  return labelsByKey(answers);
}
