import type { EvaluateConfig } from '../../../../generated/evaluate-config.ts';
import type { Score } from '../../../ports/scores.ts';
import { meanScore } from '../../benchmarks/benchmark-scores.ts';
import { grouped } from '../../grouped.ts';
import { bootstrapInterval } from '../../statistics/bootstrap-interval.ts';
import { f1 } from '../../statistics/f1.ts';
import { tokenOverlapF1 } from '../../statistics/token-overlap-f1.ts';
import { chosenIndex } from '../choices/chosen.ts';
import type { RatedResponse } from '../metric.ts';
import { answerTokens, normalizeAnswer } from '../normalize-answer.ts';
import { fromBenchmark } from './from-benchmark.ts';

/** MultiRC: F1 over all answers (the first of a record's choices calls its answer right), and whole questions. */
export function scoreMultiRc(
  rated: readonly RatedResponse[],
  { bootstrap }: EvaluateConfig,
): readonly Score[] {
  const answers = rated.map(({ response }) => ({
    question: String(response.fields.question_id),
    gold: String(response.fields.label),
    predicted: chosenIndex(response) === 0 ? '1' : '0',
  }));
  const questions = [...grouped(answers, ({ question }) => question).values()];
  const f1Of = (some: readonly (typeof answers)[number][]): number =>
    f1({ gold: some.map(({ gold }) => gold), predicted: some.map(({ predicted }) => predicted) }, '1');
  const interval = bootstrapInterval({
    ...bootstrap,
    count: questions.length,
    statistic: (indices) => f1Of(indices.flatMap((index) => questions[index] ?? [])),
  });
  const exact = questions.map((own) => (own.every(({ gold, predicted }) => gold === predicted) ? 1 : 0));
  const metrics = [
    { metric: 'f1a', value: f1Of(answers), count: answers.length, ...(interval && { interval }) },
    meanScore({ metric: 'exact_match', values: exact }),
  ];
  return fromBenchmark({ metrics, remarks: [] }, 'multirc');
}

/** ReCoRD: F1 and exact match of the entity that was chosen, the best over the right ones. */
export function scoreRecord(rated: readonly RatedResponse[]): readonly Score[] {
  const values = rated.map(({ response }) => {
    const { entities, answers } = response.fields;
    const entity = Array.isArray(entities) ? String(entities[chosenIndex(response)] ?? '') : '';
    const golds = Array.isArray(answers) ? answers.map(String) : [];
    const words = answerTokens(entity);
    return {
      exact: golds.some((gold) => normalizeAnswer(gold) === words.join(' ')) ? 1 : 0,
      f1: Math.max(0, ...golds.map((gold) => tokenOverlapF1(answerTokens(gold), words))),
    };
  });
  const metrics = [
    meanScore({ metric: 'f1', values: values.map(({ f1: value }) => value) }),
    meanScore({ metric: 'exact_match', values: values.map(({ exact }) => exact) }),
  ];
  return fromBenchmark({ metrics, remarks: [] }, 'record');
}
