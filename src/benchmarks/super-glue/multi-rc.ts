import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import {
  bootstrapInterval,
  chosenIndex,
  f1,
  grouped,
  macroF1,
  type Resampling,
  type ScoredResponse,
} from '../../metrics/index.ts';
import { requiredText } from '../../text/index.ts';
import type { BenchmarkRow } from '../benchmark.ts';
import type { BenchmarkFile } from '../benchmark-file.ts';
import { type BenchmarkScores, meanScore, scoresOf } from '../benchmark-scores.ts';
import { labelsByKey, type PlacedLabel, pairLabels } from '../labels.ts';
import { fieldOf, itemsOf, type Located, labelOf, placeOf, readJsonLines, textOf } from '../located.ts';
import type { SuperGlueTask } from './super-glue-task.ts';

/** MultiRC: each candidate answer to a question is right or wrong. A question is exact if all its answers are. */
export const multiRc: SuperGlueTask = {
  folder: 'MultiRC',
  readRows: readAnswers,
  question: (row) => ({
    prompt: `${requiredText(row, 'paragraph')}\nQuestion: ${requiredText(row, 'question')}\nAnswer:`,
    choices: ['yes', 'no'].map(
      (verdict) => `${requiredText(row, 'answer')}\nIs the answer correct? ${verdict}`,
    ),
  }),
  counted: ['f1a', 'exact_match'],
  // The harness writes `yes` first, and the label 0 means no.
  labels: ['1', '0'],
  scoreResponses: (responses, config) => scoresOf(scoreChoices(responses, config), 'multirc'),
  scorer: {
    summary: 'many right answers, F1a, F1m and exact match',
    data: { file: 'the labeled passages (JSONL)', example: 'val.jsonl' },
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
  },
};

/** A row for each candidate. */
function* readAnswers(item: Located): Generator<BenchmarkRow> {
  const passage = fieldOf(item, 'passage');
  const text = textOf(fieldOf(passage, 'text'));
  for (const question of itemsOf(fieldOf(passage, 'questions')))
    for (const answer of itemsOf(fieldOf(question, 'answers'))) {
      const indices = [item, question, answer].map((at) => labelOf(fieldOf(at, 'idx')));
      yield {
        id: `multirc/${indices.join('/')}`,
        row: {
          task: 'multirc',
          paragraph: text,
          question: textOf(fieldOf(question, 'question')),
          answer: textOf(fieldOf(answer, 'text')),
          label: labelOf(fieldOf(answer, 'label')),
          question_id: indices.slice(0, 2).join('/'),
        },
      };
    }
}

/** The first of a record's choices calls its candidate right. */
function scoreChoices(responses: readonly ScoredResponse[], { bootstrap }: EvaluateConfig): BenchmarkScores {
  const candidates = responses.map(({ response }) => ({
    question: String(response.fields.question_id),
    gold: String(response.fields.label),
    predicted: chosenIndex(response) === 0 ? '1' : '0',
  }));
  return scoreCandidates(candidates, bootstrap);
}

interface Candidate {
  readonly question: string;
  readonly gold: string;
  readonly predicted: string;
}

/**
 * F1a over all candidates, its interval over questions drawn again; F1m, the mean over questions of the macro F1 of
 * the labels that occur in it, as in scikit-learn; and the share of exact questions.
 */
function scoreCandidates(candidates: readonly Candidate[], resampling: Resampling): BenchmarkScores {
  const questions = [...grouped(candidates, ({ question }) => question).values()];
  const f1Of = (some: readonly Candidate[]): number =>
    f1({ gold: some.map(({ gold }) => gold), predicted: some.map(({ predicted }) => predicted) }, '1');
  const interval = bootstrapInterval({
    ...resampling,
    count: questions.length,
    statistic: (indices) => f1Of(indices.flatMap((index) => questions[index] ?? [])),
  });
  const macro = questions.map((own) => {
    const pairs = { gold: own.map(({ gold }) => gold), predicted: own.map(({ predicted }) => predicted) };
    return macroF1(pairs, [...new Set([...pairs.gold, ...pairs.predicted])]);
  });
  const exact = questions.map((own) => (own.every(({ gold, predicted }) => gold === predicted) ? 1 : 0));
  return {
    metrics: [
      { metric: 'f1a', value: f1Of(candidates), count: candidates.length, ...(interval && { interval }) },
      meanScore({ metric: 'f1m', values: macro }),
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
