import { articles, type ScoredResponse, type SetScores, tokenOverlapF1 } from '../metrics/index.ts';
import { requiredText } from '../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import { type BenchmarkScores, leftOutFor, meanScore, remarkOn, scoresOf } from './benchmark-scores.ts';
import {
  booleanOf,
  fieldOf,
  itemsOf,
  type Located,
  optionalField,
  readJson,
  textOf,
  unfit,
} from './located.ts';
import { readAnswers } from './predictions.ts';
import { textsAmong } from './row-fields.ts';

/** TriviaQA (Joshi et al. 2017), the Wikipedia and the Web domain. */
export const triviaQa: Benchmark = {
  name: 'triviaqa',
  layout: { records: 'the JSON', fields: '`question`, `answer`, `aliases`, `answers` (normalized)' },
  read: readRows,
  templates: {
    triviaqa: {
      source: 'lm-evaluation-harness, without a document',
      write: (row) => ({
        prompt: `Question: ${requiredText(row, 'question')}?\nAnswer:`,
        header: ' ',
        response: requiredText(row, 'answer'),
      }),
    },
  },
  metrics: {
    triviaqa: {
      better: 'higher',
      reads: 'text',
      measures: 'Exact match and F1 in percent, the best over all aliases.',
      source: "TriviaQA's triviaqa_evaluation.py",
      scoreAll: scoreResponses,
    },
  },
  scorers: {
    triviaqa: {
      summary: 'exact match and F1 over all aliases',
      data: { file: 'the questions (JSON)', example: 'wikipedia-dev.json' },
      predictions: { file: 'answers by key', example: 'predictions.json' },
      score: async ({ data, predictions }) => {
        const questions = await readQuestions(data);
        const answers = new Map([...questions].map(([key, question]) => [key, answersOf(question)]));
        return scoreAnswers(answers, await readAnswers(predictions, [...questions.keys()]));
      },
    },
  },
};

/** A row for each key of a prediction. */
async function* readRows({ path }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  for (const [id, question] of await readQuestions({ path, name: path })) {
    const answer = fieldOf(question, 'Answer');
    yield {
      id,
      row: {
        question: textOf(fieldOf(question, 'Question')),
        answer: textOf(fieldOf(answer, 'Value')),
        aliases: itemsOf(fieldOf(answer, 'Aliases')).map(textOf),
        answers: [...answersOf(question)],
      },
    };
  }
}

/**
 * Questions by the keys of their predictions: the question's id in the Wikipedia domain, and `<id>--<file name>` for
 * each of its documents in the Web domain. A verified evaluation counts only the questions and documents that are part
 * of it.
 */
async function readQuestions(file: BenchmarkFile): Promise<ReadonlyMap<string, Located>> {
  const root = await readJson(file);
  const verified = booleanOf(fieldOf(root, 'VerifiedEval'));
  const keysIn = keysOf(fieldOf(root, 'Domain'), verified);
  const questions = itemsOf(fieldOf(root, 'Data')).filter(
    (question) => !verified || booleanOf(fieldOf(question, 'QuestionPartOfVerifiedEval')),
  );
  return new Map(questions.flatMap((question) => keysIn(question).map((key) => [key, question] as const)));
}

function keysOf(domain: Located, verified: boolean): (question: Located) => readonly string[] {
  switch (domain.value) {
    case 'Wikipedia':
      return (question) => [textOf(fieldOf(question, 'QuestionId'))];
    case 'Web':
      return (question) => {
        const id = textOf(fieldOf(question, 'QuestionId'));
        return documentsOf(question)
          .filter((document) => !verified || booleanOf(fieldOf(document, 'DocPartOfVerifiedEval')))
          .map((document) => `${id}--${textOf(fieldOf(document, 'Filename'))}`);
      };
    default:
      throw unfit(domain, 'Wikipedia or Web');
  }
}

const documentsOf = (question: Located): readonly Located[] =>
  ['EntityPages', 'SearchResults'].flatMap((name) => {
    const documents = optionalField(question, name);
    return documents === undefined ? [] : itemsOf(documents);
  });

/** The right answers, normalized. */
function answersOf(question: Located): readonly string[] {
  const answer = fieldOf(question, 'Answer');
  const human = optionalField(answer, 'HumanAnswers');
  return [
    ...itemsOf(fieldOf(answer, 'NormalizedAliases')),
    ...(human === undefined ? [] : itemsOf(human)),
  ].map((text) => normalizeTrivia(textOf(text)));
}

/** The percentages of triviaqa_evaluation.py: the best over all aliases; a key without a prediction counts 0. */
function scoreAnswers(
  answers: ReadonlyMap<string, readonly string[]>,
  predictions: ReadonlyMap<string, string>,
): BenchmarkScores {
  const scored = [...answers].map(([key, golds]) => scoreAnswer(golds, predictions.get(key)));
  return {
    metrics: [
      meanScore({ metric: 'exact_match', values: scored.map(({ exact }) => exact), scale: 100 }),
      meanScore({ metric: 'f1', values: scored.map(({ f1 }) => f1), scale: 100 }),
    ],
    remarks: remarkOn(
      'keys without a prediction, counted 0',
      [...answers.keys()].filter((key) => !predictions.has(key)),
    ),
    leftOut: leftOutFor(
      'predictions for no key of the data',
      [...predictions.keys()].filter((key) => !answers.has(key)),
    ),
  };
}

function scoreAnswer(
  golds: readonly string[],
  prediction: string | undefined,
): { readonly exact: number; readonly f1: number } {
  if (prediction === undefined) return { exact: 0, f1: 0 };
  const words = triviaWords(prediction);
  return {
    exact: golds.includes(normalizeTrivia(prediction)) ? 1 : 0,
    f1: Math.max(0, ...golds.map((gold) => tokenOverlapF1(triviaWords(gold), words))),
  };
}

function scoreResponses(responses: readonly ScoredResponse[]): SetScores {
  const answers = new Map(
    responses.map(({ response: { id, fields } }) => [id, textsAmong(fields.answers).map(normalizeTrivia)]),
  );
  const predictions = new Map(responses.map(({ response: { id, response = '' } }) => [id, response]));
  return {
    metrics: scoresOf(scoreAnswers(answers, predictions)),
    values: new Map(
      [...answers].map(([id, golds]) => [id, 100 * scoreAnswer(golds, predictions.get(id)).f1]),
    ),
  };
}

/** string.punctuation of Python, and the quotes that TriviaQA adds: ‘ ’ ´ (the grave accent is in both). */
const punctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~‘’´]/g;

/** The words of TriviaQA's normalize_answer: lowercase, a space for each punctuation mark, no articles. */
const triviaWords = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .replace(punctuation, ' ')
    .replace(articles, ' ')
    .split(/\s+/u)
    .filter((word) => word !== '');

const normalizeTrivia = (text: string): string => triviaWords(text).join(' ');
