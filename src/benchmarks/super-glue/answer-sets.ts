import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import {
  answerTokens,
  bootstrapInterval,
  chosenIndex,
  f1,
  grouped,
  normalizeAnswer,
  type RatedResponse,
  type Score,
  tokenOverlapF1,
} from '../../metrics/index.ts';
import type { Benchmark, BenchmarkCall } from '../benchmark.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import { type BenchmarkScores, fromBenchmark, meanScore, remarkOn } from '../benchmark-scores.ts';
import { labelsByKey, type PlacedLabel, pairLabels } from '../labels.ts';
import { fieldOf, itemsOf, labelOf, placeOf, readJsonLines, textOf } from '../located.ts';

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
