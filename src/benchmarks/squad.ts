import {
  answerF1,
  meaningfulAnswers,
  normalizeAnswer,
  type SetMetric,
  type SetScores,
} from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import { answer, texts } from './answer-texts.ts';
import type { Benchmark, BenchmarkReader, ExampleTemplate } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import {
  type BenchmarkScore,
  type BenchmarkScores,
  fromBenchmark,
  meanScore,
  remarkOn,
} from './benchmark-scores.ts';
import { fieldOf, itemsOf, optionalField, readAnswers, readJson, textOf } from './located.ts';
import { textList } from './row-lists.ts';

export const squadBenchmark: Benchmark = {
  summary: 'exact match and F1, 1.1 and 2.0',
  data: { file: 'the questions (JSON)', example: 'dev-v2.0.json' },
  predictions: { file: 'answers by question id (JSON)', example: 'predictions.json' },
  score: async ({ data, predictions }) =>
    scoreAnswers(await readQuestions(data), await readAnswers(predictions)),
};

/** SQuAD's JSON, 1.1 or 2.0: a row a question, with its passage. */
export const readSquad: BenchmarkReader = async function* ({ path }) {
  const articles = itemsOf(fieldOf(await readJson({ path, name: path }), 'data'));
  const seen = new Map<string, number>();
  for (const article of articles) {
    const title = optionalField(article, 'title');
    for (const paragraph of itemsOf(fieldOf(article, 'paragraphs'))) {
      const context = textOf(fieldOf(paragraph, 'context'));
      for (const question of itemsOf(fieldOf(paragraph, 'qas'))) {
        const questionId = textOf(fieldOf(question, 'id'));
        const count = (seen.get(questionId) ?? 0) + 1;
        seen.set(questionId, count);
        yield {
          id: count === 1 ? questionId : `${questionId}-${count}`,
          row: {
            question_id: questionId,
            title: title === undefined ? '' : textOf(title),
            context,
            question: textOf(fieldOf(question, 'question')),
            answers: itemsOf(fieldOf(question, 'answers')).map((answer) => textOf(fieldOf(answer, 'text'))),
          },
        };
      }
    }
  }
};

/** SQuAD as lm-evaluation-harness asks it (squadv2). */
export const squadTemplate: ExampleTemplate = {
  write: (row) => ({
    prompt: `Title: ${optionalText(row, 'title')}\n\nBackground: ${requiredText(row, 'context')}\n\nQuestion: ${requiredText(row, 'question')}\n\nAnswer:`,
    header: ' ',
    response: textList(row, 'answers')[0] ?? 'unanswerable',
  }),
};

interface Question {
  readonly id: string;
  /** Empty for a question that the passage does not answer. */
  readonly answers: readonly string[];
}

interface Questions {
  /** 2.0 marks questions as impossible. */
  readonly version: '1.1' | '2.0';
  readonly questions: readonly Question[];
}

/** Reads SQuAD's own layout: data[].paragraphs[].qas[].{id, answers[].text, is_impossible}. */
async function readQuestions(file: BenchmarkFile): Promise<Questions> {
  const articles = itemsOf(fieldOf(await readJson(file), 'data'));
  const entries = articles
    .flatMap((article) => itemsOf(fieldOf(article, 'paragraphs')))
    .flatMap((paragraph) => itemsOf(fieldOf(paragraph, 'qas')));
  return {
    version: entries.some((entry) => optionalField(entry, 'is_impossible')) ? '2.0' : '1.1',
    questions: entries.map((entry) => ({
      id: textOf(fieldOf(entry, 'id')),
      answers: itemsOf(fieldOf(entry, 'answers')).map((answer) => textOf(fieldOf(answer, 'text'))),
    })),
  };
}

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
function scoreAnswers(
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
