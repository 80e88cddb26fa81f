import { normalizeAnswer } from '../../metrics/normalize-answer.ts';
import { answerF1, meaningfulAnswers } from '../../metrics/token-f1.ts';
import { type BenchmarkScore, type BenchmarkScores, meanScore, remarkOn } from '../benchmark-scores.ts';
import type { Question, Questions } from './read-questions.ts';

interface RatedQuestion {
  readonly answerable: boolean;
  readonly exact: number;
  readonly f1: number;
}

/**
 * SQuAD's percentages, over all questions and, for 2.0, over those with and without an answer. The names are those
 * of evaluate-v2.0.py. A question without a prediction counts 0, as in evaluate-v1.1.py;
 * of questions with one id, the last counts in 2.0, as in evaluate-v2.0.py, and each in 1.1.
 */
export function scoreAnswers(
  { version, questions: all }: Questions,
  predictions: ReadonlyMap<string, string>,
): BenchmarkScores {
  const byId = new Map(all.map((question) => [question.id, question]));
  const questions = version === '1.1' ? all : [...byId.values()];
  const rated = questions.map((question) => rate(question, predictions.get(question.id)));
  const missing = questions.map(({ id }) => id).filter((id) => !predictions.has(id));
  const groups = {
    HasAns: rated.filter(({ answerable }) => answerable),
    NoAns: rated.filter(({ answerable }) => !answerable),
  };
  const parts = version === '1.1' ? [] : Object.entries(groups).filter(([, group]) => group.length > 0);
  return {
    metrics: [...scoresOf(rated), ...parts.flatMap(([name, group]) => scoresOf(group, `${name}_`))],
    remarks: [
      ...remarkOn('questions whose id comes again later, left out', repeatedIds(all, questions)),
      ...remarkOn('questions without a prediction, counted 0', missing),
      ...remarkOn(
        'predictions for no question of the data, left out',
        [...predictions.keys()].filter((id) => !byId.has(id)),
      ),
    ],
  };
}

/** evaluate-v1.1.py counts such questions each, so none is repeated there. */
function repeatedIds(all: readonly Question[], kept: readonly Question[]): readonly string[] {
  const used = new Set(kept);
  return all.filter((question) => !used.has(question)).map(({ id }) => id);
}

function rate({ answers }: Question, prediction: string | undefined): RatedQuestion {
  const answerable = answers.length > 0;
  if (prediction === undefined) return { answerable, exact: 0, f1: 0 };
  const golds = meaningfulAnswers(answers);
  const normalized = normalizeAnswer(prediction);
  return {
    answerable,
    exact: golds.some((gold) => normalizeAnswer(gold) === normalized) ? 1 : 0,
    f1: Math.max(...golds.map((gold) => answerF1(gold, prediction))),
  };
}

const scoresOf = (rated: readonly RatedQuestion[], prefix = ''): readonly BenchmarkScore[] => [
  meanScore({ metric: `${prefix}exact`, values: rated.map(({ exact }) => exact), scale: 100 }),
  meanScore({ metric: `${prefix}f1`, values: rated.map(({ f1 }) => f1), scale: 100 }),
];
