import type { Json } from '../../../../json.ts';
import type { ResponseRecord } from '../../../ports/response-record.ts';
import { scoreAnswers } from '../../benchmarks/squad/score-answers.ts';
import { normalizeTrivia } from '../../benchmarks/trivia-qa/normalize-trivia.ts';
import { scoreTrivia } from '../../benchmarks/trivia-qa/score-trivia.ts';
import type { SetMetric, SetScores } from '../set-metric.ts';
import { fromBenchmark } from './from-benchmark.ts';

const answer = ({ response = '' }: ResponseRecord): string => response;

/** SQuAD's exact match and F1 in percent, for 2.0 also over questions with and without an answer. `unanswerable` is no answer. */
export const squadMetric: SetMetric = {
  reads: 'text',
  score: (rated): SetScores => {
    const questions = rated.map(({ response }) => ({
      id: response.id,
      answers: texts(response.fields.answers),
    }));
    const version = questions.every(({ answers }) => answers.length > 0) ? '1.1' : '2.0';
    const predictions = new Map(
      rated.map(({ response }) => [
        response.id,
        answer(response).trim().toLowerCase() === 'unanswerable' ? '' : answer(response),
      ]),
    );
    return {
      metrics: fromBenchmark(scoreAnswers({ version, questions }, predictions)),
      values: new Map(
        questions.map((question) => {
          const own = { version: '1.1', questions: [question] } as const;
          return [question.id, scoreAnswers(own, predictions).metrics[1]?.value ?? null];
        }),
      ),
    };
  },
};

/** TriviaQA's exact match and F1 in percent, the best over all aliases. */
export const triviaQaMetric: SetMetric = {
  reads: 'text',
  score: (rated): SetScores => {
    const keys = new Map(
      rated.map(({ response }) => [response.id, texts(response.fields.answers).map(normalizeTrivia)]),
    );
    const predictions = new Map(rated.map(({ response }) => [response.id, answer(response)]));
    return {
      metrics: fromBenchmark(scoreTrivia(keys, predictions)),
      values: new Map(
        [...keys].map(([id, answers]) => {
          const given = new Map([[id, predictions.get(id) ?? '']]);
          return [id, scoreTrivia(new Map([[id, answers]]), given).metrics[1]?.value ?? null];
        }),
      ),
    };
  },
};

const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
