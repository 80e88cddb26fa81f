import type { Benchmark } from '../benchmark.ts';
import { readAnswers } from '../files/read-answers.ts';
import { readQuestions } from './read-questions.ts';
import { scoreAnswers } from './score-answers.ts';

export const squadBenchmark: Benchmark = {
  summary: 'exact match and F1, 1.1 and 2.0',
  data: { file: 'the questions (JSON)', example: 'dev-v2.0.json' },
  predictions: { file: 'answers by question id (JSON)', example: 'predictions.json' },
  score: async ({ data, predictions }) =>
    scoreAnswers(await readQuestions(data), await readAnswers(predictions)),
};
