import { type Grader, graderOf } from '../../../../text/benchmark/grader.ts';
import type { Score } from '../../../ports/scores.ts';
import { plainMean } from '../../statistics/plain-mean.ts';
import type { SetMetric } from '../set-metric.ts';

/** What OpenAI Evals calls an answer without a choice. */
const INVALID = '__invalid__';
const asciiPunctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g;

/**
 * OpenAI Evals' ModelBasedClassify, of a grader's answers: how often it took each choice and, where choices have scores,
 * their mean. An answer without a choice is counted, and has the lowest score.
 */
export const modelGradedMetric: SetMetric = {
  reads: 'text',
  score: (rated) => {
    const graded = rated.map(({ response: { id, fields, response = '' } }) => {
      const grader = graderOf(fields);
      const choice = choiceIn(response, grader);
      return { id, choice, score: scoreOf(choice, grader) };
    });
    const counts = new Map<string, number>();
    for (const { choice } of graded) counts.set(choice, (counts.get(choice) ?? 0) + 1);
    const scores = graded.flatMap(({ score }) => score ?? []);
    const metrics: readonly Score[] = [
      ...(scores.length === 0 ? [] : [meanOf(scores)]),
      ...[...counts].map(
        ([choice, count]): Score => ({
          metric: 'choices',
          of: choice,
          value: count,
          higher_is_better: choice !== INVALID,
          count: graded.length,
        }),
      ),
    ];
    return { metrics, values: new Map(graded.map(({ id, choice }) => [id, choice])) };
  },
};

/** The first choice that a line matches; lines are read from the last one up where the reasoning comes first. */
export function choiceIn(
  answer: string,
  { choices, evalType, matches }: Pick<Grader, 'choices' | 'evalType' | 'matches'>,
): string {
  const lines = answer.trim().split('\n');
  for (const line of evalType === 'cot_classify' ? lines.toReversed() : lines) {
    const plain = line.trim().replace(asciiPunctuation, '');
    const choice = plain === '' ? undefined : choices.find((one) => matches(plain, one));
    if (choice !== undefined) return choice;
  }
  return INVALID;
}

function scoreOf(choice: string, { scores }: Grader): number | undefined {
  if (scores === undefined) return undefined;
  return scores.get(choice) ?? Math.min(...scores.values());
}

function meanOf(scores: readonly number[]): Score {
  const { mean: value, standardError } = plainMean(scores);
  return {
    metric: 'model_graded',
    value,
    higher_is_better: true,
    count: scores.length,
    ...(standardError === undefined ? {} : { standard_error: standardError }),
  };
}
