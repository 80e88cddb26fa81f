import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import {
  answerTokens,
  bootstrapInterval,
  chosenIndex,
  f1,
  grouped,
  normalizeAnswer,
  type Resampling,
  type ScoredResponse,
  tokenOverlapF1,
} from '../../metrics/index.ts';
import type { Scorer } from '../benchmark.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import {
  type BenchmarkScore,
  type BenchmarkScores,
  leftOutFor,
  meanScore,
  remarkOn,
  scoresOf,
} from '../benchmark-scores.ts';
import { labelsByKey, type PlacedLabel, pairLabels } from '../labels.ts';
import { fieldOf, itemsOf, labelOf, placeOf, readJsonLines, textOf } from '../located.ts';

/** MultiRC: each candidate answer to a question is right or wrong. A question is exact if all its answers are. */
export const multiRc = {
  scorer: {
    summary: 'many right answers, F1a and exact match',
    data: { file: 'the labelled passages (JSONL)', example: 'val.jsonl' },
    predictions: { file: 'passages with labels (JSONL)', example: 'MultiRC.jsonl' },
    score: async ({ data, predictions, resampling }) => {
      const gold = await readCandidates(data);
      const predicted = labelsByKey(await readCandidates(predictions));
      const sides = { gold: labelsByKey(gold), predicted, classes: ['0', '1'] };
      const pairs = pairLabels({ ...sides, name: predictions.name });
      const candidates = gold.map(([, { question }], index) => ({
        question,
        gold: pairs.gold[index] ?? '',
        predicted: pairs.predicted[index] ?? '',
      }));
      return scoreCandidates(candidates, resampling);
    },
  } satisfies Scorer,
  /** The first of a record's choices calls its candidate right. */
  scoreResponses: (responses: readonly ScoredResponse[], { bootstrap }: EvaluateConfig) => {
    const candidates = responses.map(({ response }) => ({
      question: String(response.fields.question_id),
      gold: String(response.fields.label),
      predicted: chosenIndex(response) === 0 ? '1' : '0',
    }));
    return scoresOf(scoreCandidates(candidates, bootstrap), 'multirc');
  },
};

interface Candidate {
  readonly question: string;
  readonly gold: string;
  readonly predicted: string;
}

/** F1a over all candidates, its interval over questions drawn again; and the share of exact questions. */
function scoreCandidates(candidates: readonly Candidate[], resampling: Resampling): BenchmarkScores {
  const questions = [...grouped(candidates, ({ question }) => question).values()];
  const f1Of = (some: readonly Candidate[]): number =>
    f1({ gold: some.map(({ gold }) => gold), predicted: some.map(({ predicted }) => predicted) }, '1');
  const interval = bootstrapInterval({
    ...resampling,
    count: questions.length,
    statistic: (indices) => f1Of(indices.flatMap((index) => questions[index] ?? [])),
  });
  const exact = questions.map((own) => (own.every(({ gold, predicted }) => gold === predicted) ? 1 : 0));
  return {
    metrics: [
      { metric: 'f1a', value: f1Of(candidates), count: candidates.length, ...(interval && { interval }) },
      meanScore({ metric: 'exact_match', values: exact }),
    ],
    remarks: [],
  };
}

/** Keys `passage/question/candidate` with their labels and questions; data and predictions share the layout. */
async function readCandidates(
  file: BenchmarkFile,
): Promise<readonly (readonly [string, PlacedLabel & { readonly question: string }])[]> {
  const passages = await readJsonLines(file);
  return passages.flatMap((passage) =>
    itemsOf(fieldOf(fieldOf(passage, 'passage'), 'questions')).flatMap((question) =>
      itemsOf(fieldOf(question, 'answers')).map((answer) => {
        const [first, second, third] = [passage, question, answer].map((at) => labelOf(fieldOf(at, 'idx')));
        const key = `${first}/${second}`;
        const label = { place: placeOf(answer), label: labelOf(fieldOf(answer, 'label')) };
        return [`${key}/${third}`, { ...label, question: key }] as const;
      }),
    ),
  );
}

/** ReCoRD: the entity that fills a gap, the best over the right ones; answers compare as in SQuAD 1.1. */
export const record = {
  scorer: {
    summary: 'entities in gaps, F1 and exact match',
    data: { file: 'the passages with queries (JSONL)', example: 'val.jsonl' },
    predictions: { file: 'idx and label (JSONL)', example: 'ReCoRD.jsonl' },
    score: async ({ data, predictions }) =>
      scoreQueries(await readQueries(data), await readEntities(predictions)),
  } satisfies Scorer,
  scoreResponses: (responses: readonly ScoredResponse[]) => {
    const scored = responses.map(({ response }) => {
      const { entities, answers } = response.fields;
      const entity = Array.isArray(entities) ? String(entities[chosenIndex(response)] ?? '') : '';
      return scoreEntity(Array.isArray(answers) ? answers.map(String) : [], entity);
    });
    return scoresOf({ metrics: meansOf(scored), remarks: [] }, 'record');
  },
};

interface ScoredEntity {
  readonly exact: number;
  readonly f1: number;
}

function scoreQueries(
  queries: ReadonlyMap<string, readonly string[]>,
  predictions: ReadonlyMap<string, string>,
): BenchmarkScores {
  const scored = [...queries].map(([id, golds]) => scoreEntity(golds, predictions.get(id)));
  return {
    metrics: meansOf(scored),
    remarks: remarkOn(
      'queries without a prediction, counted 0',
      [...queries.keys()].filter((id) => !predictions.has(id)),
    ),
    leftOut: leftOutFor(
      'predictions for no query of the data',
      [...predictions.keys()].filter((id) => !queries.has(id)),
    ),
  };
}

const meansOf = (scored: readonly ScoredEntity[]): readonly BenchmarkScore[] => [
  meanScore({ metric: 'f1', values: scored.map((one) => one.f1) }),
  meanScore({ metric: 'exact_match', values: scored.map(({ exact }) => exact) }),
];

function scoreEntity(golds: readonly string[], prediction: string | undefined): ScoredEntity {
  if (prediction === undefined) return { exact: 0, f1: 0 };
  const words = answerTokens(prediction);
  return {
    exact: golds.some((gold) => normalizeAnswer(gold) === words.join(' ')) ? 1 : 0,
    f1: Math.max(0, ...golds.map((gold) => tokenOverlapF1(answerTokens(gold), words))),
  };
}

/** A query's idx -> the right entities. */
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
