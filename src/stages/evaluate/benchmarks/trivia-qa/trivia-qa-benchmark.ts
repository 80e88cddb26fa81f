import type { Benchmark } from '../benchmark.ts';
import { readAnswers } from '../files/read-answers.ts';
import { readTriviaQuestions } from './read-trivia-questions.ts';
import { scoreTrivia } from './score-trivia.ts';

export const triviaQaBenchmark: Benchmark = {
  summary: 'exact match and F1 over all aliases',
  data: { file: 'the questions (JSON)', example: 'wikipedia-dev.json' },
  predictions: { file: 'answers by key (JSON)', example: 'predictions.json' },
  score: async ({ data, predictions }) =>
    scoreTrivia(await readTriviaQuestions(data), await readAnswers(predictions)),
};
