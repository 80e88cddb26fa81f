import { tokenOverlapF1 } from '../../statistics/token-overlap-f1.ts';
import { type BenchmarkScores, meanScore, remarkOn } from '../benchmark-scores.ts';
import { normalizeTrivia, triviaWords } from './normalize-trivia.ts';

/** TriviaQA's percentages (triviaqa_evaluation.py): the best over all aliases; a key without a prediction counts 0. */
export function scoreTrivia(
  questions: ReadonlyMap<string, readonly string[]>,
  predictions: ReadonlyMap<string, string>,
): BenchmarkScores {
  const rated = [...questions].map(([key, answers]) => rate(answers, predictions.get(key)));
  return {
    metrics: [
      meanScore({ metric: 'exact_match', values: rated.map(({ exact }) => exact), scale: 100 }),
      meanScore({ metric: 'f1', values: rated.map(({ f1 }) => f1), scale: 100 }),
    ],
    remarks: [
      ...remarkOn(
        'keys without a prediction, counted 0',
        [...questions.keys()].filter((key) => !predictions.has(key)),
      ),
      ...remarkOn(
        'predictions for no key of the data, left out',
        [...predictions.keys()].filter((key) => !questions.has(key)),
      ),
    ],
  };
}

function rate(answers: readonly string[], prediction: string | undefined): { exact: number; f1: number } {
  if (prediction === undefined) return { exact: 0, f1: 0 };
  const words = triviaWords(prediction);
  return {
    exact: answers.includes(normalizeTrivia(prediction)) ? 1 : 0,
    f1: Math.max(0, ...answers.map((answer) => tokenOverlapF1(triviaWords(answer), words))),
  };
}
