import {
  answerF1,
  meaningfulAnswers,
  normalizeAnswer,
  type ScoredResponse,
  type SetScores,
} from '../metrics/index.ts';
import { optionalText, requiredText } from '../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import {
  type BenchmarkScore,
  type BenchmarkScores,
  leftOutFor,
  meanScore,
  remarkOn,
  scoresOf,
} from './benchmark-scores.ts';
import { fieldOf, itemsOf, optionalField, readJson, textOf } from './located.ts';
import { readAnswers } from './predictions.ts';
import { textList, textsAmong } from './row-fields.ts';

/** SQuAD 1.1 and 2.0 (Rajpurkar et al. 2016 and 2018). */
export const squad: Benchmark = {
  name: 'squad',
  layout: { records: 'the JSON, 1.1 or 2.0', fields: '`title`, `context`, `question`, `answers`' },
  read: readRows,
  templates: {
    squad: {
      source: "lm-evaluation-harness's squadv2",
      write: (row) => ({
        prompt: `Title: ${optionalText(row, 'title')}\n\nBackground: ${requiredText(row, 'context')}\n\nQuestion: ${requiredText(row, 'question')}\n\nAnswer:`,
        header: ' ',
        response: textList(row, 'answers')[0] ?? 'unanswerable',
      }),
    },
  },
  metrics: {
    squad: {
      better: 'higher',
      reads: 'text',
      measures:
        'Exact match and F1 in percent; for 2.0 also over the questions with and without an answer. `unanswerable` means no answer.',
      source: "SQuAD's evaluate-v1.1.py and evaluate-v2.0.py",
      scoreAll: scoreResponses,
    },
  },
  scorers: {
    squad: {
      summary: 'exact match and F1, 1.1 and 2.0',
      data: { file: 'the questions (JSON)', example: 'dev-v2.0.json' },
      predictions: { file: 'answers by question id', example: 'predictions.json' },
      score: async ({ data, predictions }) => {
        const questions = await readQuestions(data);
        const ids = questions.questions.map(({ id }) => id);
        return scoreAnswers(questions, await readAnswers(predictions, ids));
      },
    },
  },
};

/** A row for each question, with its passage. */
async function* readRows({ path }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
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
}

interface Question {
  readonly id: string;
  /** Empty if the passage does not answer the question. */
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

interface ScoredAnswer {
  readonly answerable: boolean;
  readonly exact: number;
  readonly f1: number;
}

/**
 * Percentages over all questions and, for 2.0, over those with and without an answer, named as in evaluate-v2.0.py. A
 * question without a prediction counts 0, as in evaluate-v1.1.py. Of questions with the same id, 2.0 counts the last, as
 * in evaluate-v2.0.py, and 1.1 counts each.
 */
function scoreAnswers(
  { version, questions: all }: Questions,
  predictions: ReadonlyMap<string, string>,
): BenchmarkScores {
  const byId = new Map(all.map((question) => [question.id, question]));
  const questions = version === '1.1' ? all : [...byId.values()];
  const scored = questions.map((question) => scoreAnswer(question, predictions.get(question.id)));
  const missing = questions.map(({ id }) => id).filter((id) => !predictions.has(id));
  const groups = {
    HasAns: scored.filter(({ answerable }) => answerable),
    NoAns: scored.filter(({ answerable }) => !answerable),
  };
  const parts = version === '1.1' ? [] : Object.entries(groups).filter(([, group]) => group.length > 0);
  return {
    metrics: [...meansOf(scored), ...parts.flatMap(([name, group]) => meansOf(group, `${name}_`))],
    remarks: remarkOn('questions without a prediction, counted 0', missing),
    leftOut: [
      ...leftOutFor('questions whose id comes again later', repeatedIds(all, questions)),
      ...leftOutFor(
        'predictions for no question of the data',
        [...predictions.keys()].filter((id) => !byId.has(id)),
      ),
    ],
  };
}

/** The ids of questions that are not kept: none for 1.1, where each question counts. */
function repeatedIds(all: readonly Question[], kept: readonly Question[]): readonly string[] {
  const used = new Set(kept);
  return all.filter((question) => !used.has(question)).map(({ id }) => id);
}

function scoreAnswer({ answers }: Question, prediction: string | undefined): ScoredAnswer {
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

const meansOf = (scored: readonly ScoredAnswer[], prefix = ''): readonly BenchmarkScore[] => [
  meanScore({ metric: `${prefix}exact`, values: scored.map(({ exact }) => exact), scale: 100 }),
  meanScore({ metric: `${prefix}f1`, values: scored.map(({ f1 }) => f1), scale: 100 }),
];

function scoreResponses(responses: readonly ScoredResponse[]): SetScores {
  const questions = responses.map(({ response: { id, fields } }) => ({
    id,
    answers: textsAmong(fields.answers),
  }));
  const version = questions.every(({ answers }) => answers.length > 0) ? '1.1' : '2.0';
  const predictions = new Map(
    responses.map(({ response: { id, response: answer = '' } }) => [
      id,
      answer.trim().toLowerCase() === 'unanswerable' ? '' : answer,
    ]),
  );
  return {
    metrics: scoresOf(scoreAnswers({ version, questions }, predictions)),
    values: new Map(
      questions.map((question) => [
        question.id,
        100 * scoreAnswer(question, predictions.get(question.id)).f1,
      ]),
    ),
  };
}
